// Runs before the page's own script: notes each painted picture, the animation frame that follows it, and the mouse wheel.
(() => {
  const paints = [];
  let found;
  window.benchPaints = paints;
  window.benchWheel = [];
  addEventListener("wheel", () => window.benchWheel.push(performance.now()), { capture: true, passive: true });
  window.benchFirst = new Promise((resolve) => (found = resolve));
  window.qikiDrawn = new Proxy(
    {},
    {
      set(all, name, drawn) {
        all[name] = drawn;
        const { run, frame, painted } = drawn;
        const paint = { name, run, frame, painted, tracks: drawn.tracks.length, next: null };
        paints.push(paint);
        requestAnimationFrame(() => (paint.next = performance.now()));
        if (name === "" && paint.tracks) found(painted);
        return true;
      },
    },
  );
})();
