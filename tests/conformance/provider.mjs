// A certified OpenID provider (oidc-provider) on loopback, for test_oidc.py.
// node provider.mjs REDIRECT_URI SECRET PEOPLE — PEOPLE is JSON: {"login": {claims}}. Prints its issuer, runs until
// its standard input ends.
import http from 'node:http'
import Provider from 'oidc-provider'

const [redirectUri, secret, people] = process.argv.slice(2)
const claimsOf = JSON.parse(people)
let handler
const server = http.createServer((request, response) => handler(request, response))
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'graphmark', client_secret: secret, redirect_uris: [redirectUri] }],
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    scopes: ['openid', 'profile', 'email', 'groups'],
    cookies: { keys: ['a key of a test'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    findAccount: (_context, login) =>
      claimsOf[login] && { accountId: login, claims: () => ({ sub: login, ...claimsOf[login] }) },
  })
  handler = provider.callback()
  process.stdout.write(`${JSON.stringify({ issuer })}\n`)
})
process.stdin.resume().on('end', () => process.exit(0))
