// Encodes consent strings with the official libraries: reads specs as JSON on stdin, one list.
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { GVL, TCModel, TCString } = require("@iabtcf/core");
const { GppModel } = require("@iabgpp/cmpapi");

const ids = (count) => Array.from({ length: count }, (_, place) => place + 1);
const described = (count) =>
  Object.fromEntries(ids(count).map((id) => [id, { id, name: `p${id}`, description: "" }]));

function tc(spec) {
  const vendors = spec.vendors.map((id) => [
    id,
    { id, name: `v${id}`, purposes: ids(11), legIntPurposes: [], flexiblePurposes: [], specialPurposes: [], features: [], specialFeatures: [] },
  ]);
  const gvl = new GVL({
    gvlSpecificationVersion: 3, vendorListVersion: 250, tcfPolicyVersion: 4,
    lastUpdated: "2026-01-01T00:00:00Z", purposes: described(11), specialPurposes: described(3),
    features: described(3), specialFeatures: described(2), stacks: {}, dataCategories: {},
    vendors: Object.fromEntries(vendors),
  });
  const model = new TCModel(gvl);
  Object.assign(model, {
    cmpId: spec.cmp, cmpVersion: 2, consentScreen: 1, consentLanguage: "EN",
    publisherCountryCode: spec.country, isServiceSpecific: true,
  });
  model.purposeConsents.set(spec.purposes);
  model.purposeLegitimateInterests.set(spec.interests);
  model.vendorConsents.set(spec.vendors);
  model.created = new Date(spec.created);
  model.lastUpdated = new Date(spec.updated);
  return TCString.encode(model);
}

function gpp(spec) {
  const model = new GppModel();
  for (const [section, fields] of Object.entries(spec.sections)) {
    for (const [name, value] of Object.entries(fields)) model.setFieldValue(section, name, value);
  }
  if (spec.tc) model.decodeSection("tcfeuv2", spec.tc);
  return model.encode();
}

let text = "";
for await (const piece of process.stdin) text += piece;
const found = JSON.parse(text).map((spec) => (spec.kind === "tc" ? tc(spec) : gpp(spec)));
process.stdout.write(JSON.stringify(found));
