// Keeps texts for as long as the tab is open. A browser may refuse: then they last until the page is left.

/** Returns undefined if there is none. */
export function loadText(key: string): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    // Storage is turned off.
    return undefined;
  }
}

export function saveText(key: string, text: string): void {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Turned off, or full: the text is not kept.
  }
}
