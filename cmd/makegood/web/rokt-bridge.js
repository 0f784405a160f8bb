// rokt-bridge.js carries the messages of a Rokt placement to makegood serve,
// and back what aligns the placement with the shop's cart. It belongs on the
// page that shows the placement:
//
//   const selection = await launcher.selectPlacements({attributes});
//   const bridge = RoktBridge.connect({
//     url: "https://bridge.example.com",   // where makegood serve answers
//     session: sessionId,                  // the one of Rokt.createLauncher
//     attributes: {orderNumber: "1001"},   // only what makegood keeps is kept
//     selection,
//     onItem(cartItem, oldCartItem) { clientCart.updateCart(cartItem, oldCartItem); },
//   });
//   bridge.sync();                         // after the shop's cart has changed
//   bridge.close();
//
// Nothing in here throws into the page or waits for makegood: when it does not
// answer, the placement and the shop go on without it.
(function (global) {
  "use strict";
  const UPDATED = "V2_CART_ITEM_UPDATED", UPDATE = "V2_UPDATE_CART_ITEM";
  const TRIES = 3, PATIENCE = 5000;

  function connect(options) {
    const base = String(options.url).replace(/\/+$/, "");
    const every = options.every || 3000;
    let open = true, timer = 0, queue = Promise.resolve();

    // Messages go one after the other, so that their order is the page's.
    function line(task) {
      queue = queue.then(task).catch(() => undefined);
      return queue;
    }

    // Everything is a POST: of a page at the bridge's own host browsers tell the
    // origin with a POST, and not with a GET.
    async function call(path, body) {
      for (let n = 1; ; n++) {
        try {
          const answer = await fetch(base + path, {
            method: "POST", mode: "cors", credentials: "omit", cache: "no-store",
            headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
            keepalive: true, // also while the page is left
            signal: AbortSignal.timeout(PATIENCE),
          });
          if (answer.ok) return await answer.json();
          if (answer.status < 500 && answer.status !== 429) return null; // said again it stays wrong
        } catch {
          // no answer: it may have been taken, and taking it twice changes nothing
        }
        if (n === TRIES) return null;
        await new Promise((go) => setTimeout(go, 250 * n * n));
      }
    }

    function tell(message, body) {
      return call("/rokt/messages", {session: String(options.session), message, at: new Date().toISOString(),
        attributes: options.attributes || {}, body});
    }

    // What is to be asked is written down before the placement hears it; the
    // placement always answers with a message of its own.
    async function ask(answer) {
      for (const change of (answer && answer.updates) || []) {
        if (!open) return;
        const body = {cartItemId: change.cartItemId, quantity: change.quantity};
        if (await tell(UPDATE, body) === null) return;
        options.selection.send(UPDATE, body);
      }
    }

    function heard(event) {
      const body = (event && event.body) || {};
      const item = body.cartItem || null, old = body.oldCartItem || null;
      line(async () => ask(await tell(UPDATED, {cartItem: item, oldCartItem: old})));
      if (options.onItem) options.onItem(item, old);
    }

    function sync() {
      return line(async () => open && ask(await call("/rokt/updates", {session: String(options.session)})));
    }

    function tick() {
      if (!open) return;
      const again = () => { timer = open ? setTimeout(tick, every) : 0; };
      if (document.visibilityState === "visible") sync().then(again, again); else again();
    }

    const listening = options.selection.on(UPDATED).subscribe(heard);
    timer = setTimeout(tick, every);
    return {
      sync,
      close() {
        open = false;
        clearTimeout(timer);
        if (listening && typeof listening.unsubscribe === "function") listening.unsubscribe();
      },
    };
  }

  global.RoktBridge = {connect};
})(window);
