// Reads a JSON list of national numbers with their prefix or country, [["DE", "136695976"], ...], and prints what each of the
// two packages says of them, [[stdnum, jsvat-next], ...], null for a country that it does not know.
import { readFileSync } from "node:fs";
import jsvat from "jsvat-next";
import { stdnum } from "stdnum";

const { AT, AU, BE, BG, CA, CH, CY, CZ, DE, DK, EE, ES, FI, FR, GB, GR, HR, HU, IE, IN, IT, KR, LT, LU, LV, MT, NL, NO, NZ, PL, PT,
  RO, SE, SG, SI, SK, TH } = stdnum;

const judges = {
  AT: [AT.uid, jsvat.austria],
  AU: [AU.abn, jsvat.australia],
  BE: [BE.vat, jsvat.belgium],
  BG: [BG.vat, jsvat.bulgaria],
  CA: [CA.bn],
  CH: [CH.vat, jsvat.switzerland],
  CY: [CY.vat, jsvat.cyprus],
  CZ: [CZ.dic, jsvat.czechRepublic],
  DE: [DE.vat, jsvat.germany],
  DK: [DK.cvr, jsvat.denmark],
  EE: [EE.kmkr, jsvat.estonia],
  EL: [GR.vat, jsvat.greece],
  ES: [ES.nif, jsvat.spain],
  FI: [FI.alv, jsvat.finland],
  FR: [FR.tva, jsvat.france],
  GB: [GB.vat, jsvat.unitedKingdom],
  HR: [HR.oib, jsvat.croatia],
  HU: [HU.anum, jsvat.hungary],
  IE: [IE.vat, jsvat.ireland],
  IN: [IN.gstin],
  IT: [IT.iva, jsvat.italy],
  KR: [KR.brn],
  LT: [LT.pvm, jsvat.lithuania],
  LU: [LU.tva, jsvat.luxembourg],
  LV: [LV.pvn, jsvat.latvia],
  MT: [MT.vat, jsvat.malta],
  NL: [NL.btw, jsvat.netherlands],
  NO: [NO.mva, jsvat.norway],
  NZ: [NZ.ird],
  PL: [PL.nip, jsvat.poland],
  PT: [PT.nif, jsvat.portugal],
  RO: [RO.cui, jsvat.romania],
  SE: [SE.vat, jsvat.sweden],
  SG: [SG.uen],
  SI: [SI.ddv, jsvat.slovenia],
  SK: [SK.dph, jsvat.slovakiaRepublic],
  TH: [TH.tin],
  XI: [GB.vat, jsvat.unitedKingdom],
};

// Both want a language behind a Swiss number, stdnum the prefix of a French one (whose key may be FR), and jsvat-next none
// before a Norwegian one.
const spell = { CH: (n) => ["CH" + n + "MWST", "CH" + n + "MWST"], FR: (n) => ["FR" + n, "FR" + n], NO: (n) => [n, n] };

const numbers = JSON.parse(readFileSync(0, "utf8"));
const verdicts = numbers.map(([prefix, n]) => {
  const [a, b] = judges[prefix];
  const [forA, forB] = spell[prefix]?.(n) ?? [n, prefix + n];
  return [a.validate(forA).isValid, b ? jsvat.checkVAT(forB, [b]).isValid : null];
});
console.log(JSON.stringify(verdicts));
