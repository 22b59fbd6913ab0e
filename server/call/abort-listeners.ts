// Keeps listeners on the signal of a call from ending the process: Node throws what they throw as an uncaught exception.

type Listener = EventListenerOrEventListenerObject;

/** Calls `report` with what a listener of the signal throws or rejects, whether it is set by `addEventListener` or `onabort`. */
export function guardListeners(signal: AbortSignal, report: (reason: unknown) => void): void {
  // The same listener must be the same function again, to be removed or not to be added twice.
  const known = new WeakMap<Listener, EventListener>();
  const guard = <Given>(listener: Given): Given => {
    // Node rejects or ignores what is not a listener.
    if (!isListener(listener)) return listener;
    const guarded = known.get(listener) ?? guardListener(listener, report);
    known.set(listener, guarded);
    return guarded as Given;
  };
  const { addEventListener, removeEventListener } = signal;
  let { onabort } = signal;
  Object.defineProperties(signal, {
    addEventListener: {
      value: (type: string, listener: Listener, options?: AddEventListenerOptions) =>
        addEventListener.call(signal, type, guard(listener), options),
    },
    removeEventListener: {
      value: (type: string, listener: Listener, options?: EventListenerOptions) =>
        removeEventListener.call(signal, type, guard(listener), options),
    },
    onabort: {
      get: () => onabort,
      set(listener: AbortSignal["onabort"]) {
        onabort = listener;
        setOnabort?.call(signal, guard(listener));
      },
    },
  });
}

const setOnabort = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "onabort")?.set;

function isListener(value: unknown): value is Listener {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

function guardListener(listener: Listener, report: (reason: unknown) => void): EventListener {
  // Nothing is returned: Node would throw what a promise rejects with.
  return function call(this: AbortSignal, event) {
    try {
      const result: unknown = typeof listener === "function" ? listener.call(this, event) : listener.handleEvent(event);
      Promise.resolve(result).catch(report);
    } catch (reason) {
      report(reason);
    }
  };
}
