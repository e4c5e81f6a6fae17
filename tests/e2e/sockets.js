// What a socket learns that is opened with whatever the browser sends along.
(async (home, query) => {
  const socket = (protocol, init) => new Promise((done) => {
    const one = new WebSocket(home.replace('https', 'wss') + '/graphql', protocol);
    one.onopen = () => one.send(JSON.stringify({ type: 'connection_init', payload: init }));
    one.onmessage = (event) => { const message = JSON.parse(event.data);
      if (message.type === 'connection_ack') one.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
      else done(event.data); };
    one.onclose = (event) => done('closed ' + event.code); });
  return [await socket('graphql-transport-ws', {}), await socket('graphql-transport-ws', { authorization: '' }),
    await socket('graphql-ws', {})];
})
