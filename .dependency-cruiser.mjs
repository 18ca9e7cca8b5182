/**
 * The layers of ARCHITECTURE.md, section "The layers", as rules for dependency-cruiser: the arrow only ever points up
 * the table. Type-only imports count too. Test files may look sideways, but shipped code never imports a test.
 */

/** Who may import whom inside src/core (a layer may always import itself). */
const core = {
  base: [],
  softfloat: ['base'],
  isa: ['base'],
  wasm: ['base'],
  machine: ['base', 'isa', 'wasm'],
  engine: ['base', 'isa', 'wasm', 'machine', 'softfloat'],
  devices: ['base', 'machine'],
  vm: ['base', 'isa', 'wasm', 'machine', 'engine', 'devices', 'softfloat'],
  replay: ['base', 'vm'],
  replication: ['base', 'vm', 'replay'],
};

/** Single files of a lower layer that every layer named here may import besides. */
const exceptions = {
  // Operand values are WebAssembly expression trees (docs/adr/0002-operands-are-expression-trees.md).
  isa: ['^src/core/wasm/(expression|ops)[.]ts$'],
  // The two doors are the vocabulary of everything that stands around the machine.
  replay: ['^src/core/machine/doors[.]ts$'],
  replication: ['^src/core/machine/doors[.]ts$'],
};

/** Tests, and the helpers that only tests use. */
const testFiles = ['[.]test[.]ts$', '[.]test-[a-z]+[.]ts$', '/testing/', '/testing[.]ts$'];

const layerRules = Object.entries(core).map(([layer, allowed]) => ({
  name: `core-${layer}`,
  severity: 'error',
  comment: `src/core/${layer} imports only ${[layer, ...allowed].join(', ')}`,
  from: { path: `^src/core/${layer}/`, pathNot: testFiles },
  to: {
    path: '^(src|test|sim|bench|guest|tools)/',
    pathNot: [`^src/core/(${[layer, ...allowed].join('|')})/`, ...(exceptions[layer] ?? [])],
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layerRules,
    {
      name: 'core-has-known-layers',
      severity: 'error',
      comment: 'a new folder in src/core needs a row in the table of .dependency-cruiser.mjs and in ARCHITECTURE.md',
      from: {},
      to: { path: '^src/core/', pathNot: `^src/core/(${Object.keys(core).join('|')})/` },
    },
    {
      name: 'core-files-have-known-layers',
      severity: 'error',
      comment: 'a new folder in src/core needs a row in the table of .dependency-cruiser.mjs and in ARCHITECTURE.md',
      from: { path: '^src/core/', pathNot: [`^src/core/(${Object.keys(core).join('|')})/`, ...testFiles] },
      to: {},
    },
    {
      name: 'core-is-deterministic',
      severity: 'error',
      comment: 'src/core imports nothing of Node and no npm package: whatever the world says enters by the input door',
      from: { path: '^src/core/', pathNot: testFiles },
      to: { pathNot: '^src/' },
    },
    {
      name: 'interpreter-not-translator',
      severity: 'error',
      comment: 'the engines meet only in what both are made from',
      from: { path: '^src/core/engine/interpreter/' },
      to: { path: '^src/core/engine/translator/' },
    },
    {
      name: 'translator-not-interpreter',
      severity: 'error',
      comment: 'the engines meet only in what both are made from',
      from: { path: '^src/core/engine/translator/' },
      to: { path: '^src/core/engine/interpreter/' },
    },
    {
      name: 'host-below-app',
      severity: 'error',
      comment: 'src/host never imports src/app',
      from: { path: '^src/host/', pathNot: testFiles },
      to: { path: '^src/app/' },
    },
    {
      name: 'cli-is-the-root',
      severity: 'error',
      comment: 'src/app/cli wires the parts together; nothing imports it',
      from: { path: '^(src|sim|bench|guest)/', pathNot: ['^src/app/cli/', ...testFiles] },
      to: { path: '^src/app/cli/' },
    },
    {
      name: 'simulation-without-world',
      severity: 'error',
      comment: 'sim/ runs the core with simulated hosts: nothing of the real ones',
      from: { path: '^sim/', pathNot: testFiles },
      to: { path: '^src/(host|app)/' },
    },
    {
      name: 'web-sees-messages-only',
      severity: 'error',
      comment: 'the web page shares only the message types with its server',
      from: { path: '^src/app/console/web/' },
      to: { path: '^src/', pathNot: '^src/app/console/(web/|messages[./])' },
    },
    {
      name: 'product-without-tests',
      severity: 'error',
      comment: 'shipped code imports no test, simulation or benchmark',
      from: { path: '^src/', pathNot: testFiles },
      to: { path: ['^(test|sim|bench)/', ...testFiles] },
    },
    {
      name: 'product-without-dev-dependencies',
      severity: 'error',
      comment: 'what shipped code needs at run time stands in "dependencies"',
      from: { path: '^src/', pathNot: testFiles },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'values never depend on each other in a circle (types may)',
      from: { pathNot: testFiles },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'type-import'] } },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'every import leads somewhere',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'tsc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
