// Checks the manifest against the schema of the Kubernetes API: node kubernetes.mjs FOLDER MANIFEST. FOLDER has the npm packages
// kubernetes-models and yaml. A manifest with a wrong field has to fail too.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [folder, manifest] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { parseAllDocuments } = require('yaml');

function check(text) {
    for (const document of parseAllDocuments(text).map(document => document.toJS({ merge: true }))) {
        const model = require(`kubernetes-models/${document.apiVersion}`)[document.kind];
        new model(document).validate();
    }
}

const text = readFileSync(manifest, 'utf8');
check(text);
let rejected = 0;
for (const [right, wrong] of [['replicas: 2', 'replicas: two'], ['containerPort: 8080', 'containerPort: "http"'], ['port: metrics', 'prot: metrics']]) {
    try {
        check(text.replace(right, wrong));
    } catch {
        rejected++;
    }
}
if (rejected !== 3) {
    throw new Error(`only ${rejected} of 3 wrong manifests are rejected`);
}
