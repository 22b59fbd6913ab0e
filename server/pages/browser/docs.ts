// The script of the docs page: starts Swagger UI, which is loaded before, with the document of this server.

interface SwaggerUi {
  (options: Readonly<Record<string, unknown>>): unknown;
  readonly presets: { readonly apis: unknown };
}

const start = (globalThis as unknown as { SwaggerUIBundle: SwaggerUi }).SwaggerUIBundle;

/** Swagger UI is dark with a class. It does not follow the system itself. */
const darkness = matchMedia("(prefers-color-scheme: dark)");
function followDarkness(): void {
  document.documentElement.classList.toggle("dark-mode", darkness.matches);
}
darkness.addEventListener("change", followDarkness);
followDarkness();

start({
  url: new URL("openapi.json", location.href).href,
  dom_id: "#swagger-ui",
  presets: [start.presets.apis],
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // What was authorized stays so when the page is loaded again.
  persistAuthorization: true,
  // No other host is asked to validate the document.
  validatorUrl: null,
});

export {};
