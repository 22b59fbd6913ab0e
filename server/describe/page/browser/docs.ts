// The script of the docs page: starts Swagger UI, which has been loaded before, with the server's own description.

interface SwaggerUi {
  (options: Readonly<Record<string, unknown>>): unknown;
  readonly presets: { readonly apis: unknown };
}

const start = (globalThis as unknown as { SwaggerUIBundle: SwaggerUi }).SwaggerUIBundle;

start({
  url: new URL("openapi.json", location.href).href,
  dom_id: "#swagger-ui",
  presets: [start.presets.apis],
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // What a link could say of these is nothing that this page wants to be told.
  queryConfigEnabled: false,
  validatorUrl: null,
});

export {};
