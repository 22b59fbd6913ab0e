// Host and port, as requests name the server: RFC 3986 section 3.2, RFC 9110 section 7.2.

/** Host and port as RFC 3986 writes them, without the user information that HTTP forbids (RFC 9110 section 7.2). */
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
