// The keyboard's focus goes into a dialog, stays there while it is open, and goes back to where it was.
const REACHABLE = "a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled])";
const held = { box: null, from: null };

const top = () => [...document.querySelectorAll("[role=dialog][aria-modal=true]")].pop() || null;
const reachable = (box) => [...box.querySelectorAll(REACHABLE)].filter((e) => e.getClientRects().length > 0);

// After each drawing: the first field of a dialog that has opened, else its first button; what had the focus before where
// the last one has closed.
export function followDialog() {
  const box = top(), active = document.activeElement;
  if (box && box !== held.box) {
    if (!held.box) held.from = active;
    const list = reachable(box);
    if (!box.contains(active)) (list.find((e) => /^(INPUT|SELECT|TEXTAREA)$/.test(e.nodeName)) || list[0])?.focus();
  } else if (!box && held.box) {
    if ((!active || active === document.body) && held.from?.isConnected) held.from.focus({ preventScroll: true });
    held.from = null;
  }
  held.box = box;
}

// Tab goes round in an open dialog.
export function keepTab(event) {
  const box = top(), list = box ? reachable(box) : [];
  const at = list.indexOf(document.activeElement), last = list.length - 1;
  if (!list.length || (event.shiftKey ? at > 0 : at >= 0 && at < last)) return;
  event.preventDefault();
  list[event.shiftKey ? last : 0].focus();
}
