package web

// fakePage is a shop's page with a launcher that behaves as Rokt documents it
// [P]: placements say V2_CART_ITEM_UPDATED with every change, take
// V2_UPDATE_CART_ITEM, keep to their bounds (a forced upsell has a minimum of
// one), and always answer. A silent one is what is not documented, and happens.
const fakePage = `<!doctype html><title>Checkout</title>
<script src="BRIDGE/rokt-bridge.js"></script>
<script>
"use strict";
window.problems = [];
window.addEventListener("error", (e) => problems.push(String(e.message)));
window.addEventListener("unhandledrejection", (e) => problems.push(String(e.reason)));
let impressions = 0;
const Rokt = {createLauncher: async ({sessionId}) => ({sessionId, selectPlacements: async () => new Selection()})};
class Selection {
  constructor() { this.listeners = []; this.items = new Map(); this.heard = []; this.silent = false; }
  on(name) { return {subscribe: (f) => { const l = {name, f}; this.listeners.push(l);
    return {unsubscribe: () => { this.listeners = this.listeners.filter((x) => x !== l); }}; }}; }
  say(cartItem, oldCartItem) {
    for (const l of this.listeners) if (l.name === "V2_CART_ITEM_UPDATED") l.f({type: l.name, body: {cartItem, oldCartItem}});
  }
  // The customer takes an offer, or changes how many; a new impression has a new id.
  take(catalogItemId, quantity, more) {
    const old = this.items.get(catalogItemId) || null;
    const item = Object.assign({cartItemId: "impression-" + ++impressions, catalogItemId, currency: "EUR", name: "Offer " + catalogItemId,
      description: "", quantity, unitPrice: 4.99, min: 0}, old ? {min: old.min} : {}, more || {});
    if (quantity > 0) this.items.set(catalogItemId, item); else this.items.delete(catalogItemId);
    this.say(quantity > 0 ? item : null, old);
  }
  send(name, body) {
    this.heard.push(body);
    if (name !== "V2_UPDATE_CART_ITEM" || this.silent) return;
    for (const [id, old] of this.items) {
      if (old.cartItemId !== body.cartItemId) continue;
      const quantity = Math.max(body.quantity, old.min);
      const item = Object.assign({}, old, {quantity});
      if (quantity > 0) this.items.set(id, item); else this.items.delete(id);
      setTimeout(() => this.say(quantity > 0 ? item : null, old), 20);
    }
  }
}
window.shown = [];
window.ready = (async () => {
  const launcher = await Rokt.createLauncher({accountId: "1", sessionId: "SESSION"});
  window.selection = await launcher.selectPlacements({attributes: {orderNumber: "1001", email: "canary3f9a@example.com"}});
  window.bridge = RoktBridge.connect({url: "BRIDGE", session: launcher.sessionId, every: 100, selection,
    attributes: {orderNumber: "1001", email: "canary3f9a@example.com"},
    onItem: (item, old) => shown.push([item && item.quantity, old && old.quantity])});
})();
</script>`
