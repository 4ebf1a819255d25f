// A Vendure shop with one product, whose stock is not tracked, as BenchmarkPeers runs it: node vendure.mjs populate | server | worker.
// The configuration is that of "npm create @vendure" in production, without the plugins for search, assets, e-mail and the admin's pages.
import {
  bootstrap,
  bootstrapWorker,
  DefaultJobQueuePlugin,
  DefaultSchedulerPlugin,
  dummyPaymentHandler,
  Importer,
  LanguageCode,
  Populator,
  RequestContextService,
} from "@vendure/core";
import { lastValueFrom } from "rxjs";

const env = process.env;
const command = process.argv[2];

const config = {
  apiOptions: { hostname: "127.0.0.1", port: +env.PORT, adminApiPath: "admin-api", shopApiPath: "shop-api", cors: false },
  authOptions: {
    tokenMethod: ["bearer", "cookie"],
    superadminCredentials: { identifier: "superadmin", password: env.PASSWORD },
    cookieOptions: { secret: env.PASSWORD },
  },
  dbConnectionOptions: { type: "postgres", url: env.DATABASE, poolSize: +env.POOL, synchronize: command === "populate" },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  plugins: [
    DefaultSchedulerPlugin.init(),
    DefaultJobQueuePlugin.init({ useDatabaseForBuffer: true }),
  ],
};

const initial = {
  defaultLanguage: LanguageCode.en,
  defaultZone: "Europe",
  countries: [{ name: "Germany", code: "DE", zone: "Europe" }],
  taxRates: [{ name: "Standard", percentage: 19 }],
  shippingMethods: [{ name: "Download", price: 0 }],
  paymentMethods: [
    { name: "Dummy", handler: { code: dummyPaymentHandler.code, arguments: [{ name: "automaticSettle", value: "true" }] } },
  ],
  collections: [],
};

const products = `name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets
Notebook,notebook,A notebook,,,,,NB1,29.00,standard,0,false,,
`;

switch (command) {
  case "populate": {
    const app = await bootstrap(config);
    await app.get(Populator).populateInitialData(initial);
    const ctx = await app.get(RequestContextService).create({ apiType: "admin", languageCode: LanguageCode.en });
    const { imported, errors } = await lastValueFrom(app.get(Importer).parseAndImport(products, ctx));
    if (imported !== 1) throw new Error(errors.join("; "));
    await app.close();
    break;
  }
  case "server":
    await bootstrap(config);
    break;
  case "worker":
    await (await bootstrapWorker(config)).startJobQueue();
    break;
  default:
    throw new Error("populate, server or worker?");
}
