import { createNodeResolver, importX } from "eslint-plugin-import-x";
import reactHooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * Files of `folder` may not import from any of the `forbidden` ones.
 *
 * @param {string} folder
 * @param {string[]} forbidden
 * @param {string} message
 */
const zone = (folder, forbidden, message) => ({ target: folder, from: forbidden, message });

// The law of imports: entry → root → link | http → containers | services → engine | backends | store.
// Everyone may use the protocol and observe; nothing points upward; only entry and root read config.
/** @param {string[]} rooms */
const backendRooms = (rooms) => rooms.map((room) => `./backend/src/${room}`);
/** @param {string[]} rooms */
const mainRooms = (rooms) => rooms.map((room) => `./main-server/src/${room}`);
/** @param {string[]} rooms */
const pageRooms = (rooms) => rooms.map((room) => `./frontend/src/${room}`);

const zones = [
  zone(
    "./protocol/src",
    ["./backend", "./main-server", "./frontend", "./scripts"],
    "The protocol imports nothing of ours.",
  ),
  zone("./backend/src", ["./main-server", "./frontend"], "Packages meet only in the protocol."),
  zone("./main-server/src", ["./backend", "./frontend"], "Packages meet only in the protocol."),
  zone("./frontend/src", ["./backend", "./main-server", "./scripts"], "Packages meet only in the protocol."),

  zone("./backend/src/!(backend|agent).ts", backendRooms(["backend.ts", "agent.ts"]), "Nothing points upward."),
  zone("./backend/src/agent.ts", backendRooms(["backend.ts"]), "Nothing points upward."),
  zone("./backend/src/link", backendRooms(["backend.ts", "agent.ts", "config.ts", "engine"]), "link → containers."),
  zone(
    "./backend/src/containers",
    backendRooms([
      "backend.ts",
      "agent.ts",
      "config.ts",
      "link",
      "engine/docker-engine.ts",
      "engine/docker-streams.ts",
    ]),
    "containers → the engine's interface.",
  ),
  zone(
    "./backend/src/engine",
    backendRooms(["backend.ts", "agent.ts", "config.ts", "link", "containers"]),
    "engine → nothing.",
  ),
  zone(
    "./backend/src/observe",
    backendRooms(["backend.ts", "agent.ts", "config.ts", "link", "containers", "engine"]),
    "observe → nothing.",
  ),

  zone("./main-server/src/app.ts", mainRooms(["main-server.ts"]), "Nothing points upward."),
  zone(
    "./main-server/src/http",
    mainRooms(["main-server.ts", "app.ts", "config.ts", "backends", "store"]),
    "http → services.",
  ),
  zone(
    "./main-server/src/services",
    mainRooms(["main-server.ts", "app.ts", "config.ts", "http"]),
    "services → backends | store.",
  ),
  zone(
    "./main-server/src/backends",
    mainRooms(["main-server.ts", "app.ts", "config.ts", "http", "services", "store"]),
    "backends → the protocol.",
  ),
  zone(
    "./main-server/src/store",
    mainRooms(["main-server.ts", "app.ts", "config.ts", "http", "services", "backends"]),
    "store → nothing.",
  ),
  zone(
    "./main-server/src/control",
    mainRooms(["main-server.ts", "app.ts", "config.ts", "http", "services", "backends", "store"]),
    "control → nothing.",
  ),

  zone("./frontend/src/app.tsx", pageRooms(["main.tsx"]), "Nothing points upward."),
  zone("./frontend/src/ahead.ts", pageRooms(["main.tsx", "app.tsx"]), "Nothing points upward."),
  zone("./frontend/src/pages", pageRooms(["main.tsx", "app.tsx", "ahead.ts"]), "pages → streams | parts → api."),
  zone("./frontend/src/streams", pageRooms(["main.tsx", "app.tsx", "ahead.ts", "pages"]), "streams → parts → api."),
  zone("./frontend/src/parts", pageRooms(["main.tsx", "app.tsx", "ahead.ts", "pages", "streams"]), "parts → api."),
  zone(
    "./frontend/src/api",
    pageRooms(["main.tsx", "app.tsx", "ahead.ts", "pages", "streams", "parts"]),
    "api → the protocol.",
  ),
];

export default defineConfig(
  { ignores: ["**/dist/", "coverage/"] },
  {
    plugins: { "import-x": importX },
    settings: {
      "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".tsx", ".mjs", ".js"] })],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts", ".tsx"] },
    },
    rules: {
      "import-x/no-cycle": "error",
      "import-x/no-unresolved": ["error", { ignore: ["^vitest/config$"] }],
      "import-x/no-restricted-paths": ["error", { basePath: import.meta.dirname, zones }],
    },
  },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
    },
  },
  {
    files: ["backend/src/**/*.ts", "main-server/src/**/*.ts"],
    ignores: ["**/*.test.ts", "backend/src/{backend,config}.ts", "main-server/src/{main-server,config}.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only config reads the environment." },
      ],
    },
  },
  {
    files: ["backend/src/**/*.ts"],
    ignores: ["backend/src/engine/docker-*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["**/docker-api.ts"], message: "Only engine/docker-*.ts knows Docker's API." }] },
      ],
    },
  },
  { files: ["frontend/src/**/*.{ts,tsx}"], extends: [reactHooks.configs.flat.recommended] },
);
