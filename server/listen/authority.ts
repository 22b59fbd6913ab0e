// Decides whether a request says where it is addressed to in a way that a URL can be made of: RFC 9110 section 7.2, RFC 9112 section 3.2.

/** Host and port as RFC 3986 writes them, without the user information that HTTP forbids. */
const SHAPE = /^(?:[\w.~!$&'()*+,;=-]+|\[[\da-f:.]+\])(?::\d*)?$/i;

let lastGood = "localhost";

/** Whether `text` is a host with an optional port, in other words whether `new URL("http://" + text)` is this host and nothing else. */
export function isAuthority(text: string): boolean {
  // Callers of one server write the same few authorities again and again.
  if (text === lastGood) return true;
  if (!SHAPE.test(text) || !URL.canParse(`http://${text}`)) return false;
  lastGood = text;
  return true;
}
