// Puts pages of Graphmark into frames, for clicks that are not meant for them.
(async (home, paths) => {
  const seen = [];
  for (const path of paths)
    seen.push(await new Promise((done) => {
      const frame = document.createElement('iframe'); frame.src = home + path;
      frame.onload = () => { try { done('loaded ' + frame.contentDocument.body.innerText); } catch (error) { done('closed'); } };
      setTimeout(() => done('silence'), 3000); document.body.append(frame); }));
  return seen;
})
