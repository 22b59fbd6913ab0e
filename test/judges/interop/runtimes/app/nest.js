import "reflect-metadata";
import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { server } from "./service.js";

class OwnController {
  get() {
    return "from Nest";
  }
}
Controller("own")(OwnController);
Get()(OwnController.prototype, "get", Object.getOwnPropertyDescriptor(OwnController.prototype, "get"));

class AppModule {}
Module({ controllers: [OwnController] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
app.use(server.handler);
await app.listen(0);
process.stdout.write(`listening on http://localhost:${app.getHttpServer().address().port}/\n`);
