// What the browser can do with streams of requests, which depends on itself and on the HTTP version of the page.

/** Whether the page came over HTTP/1.1. Its calls will, too. */
export function isHttp1(): boolean {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation instanceof PerformanceNavigationTiming && /^http\/[01]/.test(navigation.nextHopProtocol);
}

/** Whether messages can be sent one by one while a request is open: fetch takes a stream, which needs HTTP/2. */
export function canStreamRequests(): boolean {
  if (isHttp1()) return false;
  let isAsked = false;
  // https://developer.chrome.com/docs/capabilities/web-apis/fetch-streaming-requests#feature_detection
  const init = {
    method: "POST",
    body: new ReadableStream(),
    get duplex() {
      isAsked = true;
      return "half";
    },
  };
  return !new Request("data:,", init).headers.has("content-type") && isAsked;
}
