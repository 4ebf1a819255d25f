// The parts that both schemas use: lists, postcode formats and normalisation. The lists are those of core/country in the same compact
// form, so that sizes are comparable.
const pairs = (s) => new Set(s.match(/../g));

export const countries = pairs(
	"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDM" +
	"DODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKN" +
	"KPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPM" +
	"PNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI" +
	"VNVUWFWSYEYTZAZMZW",
);

export const members = pairs("ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK");

export const states = {
	US: pairs(
		"AAAEAKALAPARASAZCACOCTDCDEFLGAGUHIIAIDILINKSKYLAMAMDMEMIMNMOMPMSMTNCNDNENHNJNMNVNYOHOKORPAPRRISCSDTNTXUMUTVAVIVTWAWI" +
		"WVWY",
	),
	CA: pairs("ABBCMBNBNLNSNTNUONPEQCSKYT"),
};

const shapes = // n: a digit, a: a letter, x: either; followed by the countries with the format
	"BFPOn GB|BFPOnn GB|BFPOnnn GB|BFPOnnnn GB|D6Wxxxx IE|FL-nnnn LI|GIR0AA GB|aaann MT|aaannnn MT|aananaa GBGGIMJE|aannaa GB" +
	"GGIMJE|aannnaa GBGGIMJE|ananaa GBGGIMJE|ananan CA|annaa GBGGIMJE|annanan KZ|annnaa GBGGIMJE|annnnaaa AR|annxxxx IE|nn-nn" +
	"n PL|nnn ADBHFOGNISLSMGOMPGTW|nnn-nnn KR|nnn-nnnn CLJP|nnnn AFALAMARATAUAZBDBEBGBHCCCHCXCYDKETGEGLHULILULVMDMKMZNFNONZPH" +
	"PTSISJTNZA|nnnn-nnn PT|nnnnaa NL|nnnnn ASAXBABLBTCUCZDEDODZEEESFIFMFRGFGPGRGTGUHRIDILIQITJOKEKHKRKWLALKLTMAMCMEMFMHMNMPM" +
	"QMVMXMYNCNPPFPKPMPRPWRERSSASESKSMSNTHTRTWUAUMUSUYVAVIVNWFYTZM|nnnnn-nnn BR|nnnnn-nnnn ASFMGUMHMPPRPWSAUMUSVI|nnnnn-nnnnn" +
	" IR|nnnnnn AMBYCNCOINKGKHKZMNNGRORSRUSGTJTMTWUZVN|nnnnnnn IL";

const symbols = { n: "[0-9]", a: "[A-Z]", x: "[A-Z0-9]", "-": "-?" };

// postcodes maps a country to the pattern of its normalised postcodes, if it is known.
export const postcodes = {};
for (const line of shapes.split("|")) {
	const [shape, row] = line.split(" ");
	const pattern = shape.replace(/[nax-]/g, (symbol) => symbols[symbol]);
	for (const country of pairs(row)) postcodes[country] = postcodes[country] ? `${postcodes[country]}|${pattern}` : pattern;
}
for (const country in postcodes) postcodes[country] = `^(?:${postcodes[country]})$`;

export const capitals = (s) => s.replace(/[a-z]/g, (c) => c.toUpperCase());

// plainPostcode removes spaces and the country prefix.
export const plainPostcode = (country, typed) =>
	typed.normalize("NFKC").replace(/\s/g, "").replace(/[\u2010-\u2015\u2212\u30fc]/g, "-")
		.replace(/^([A-Z]{1,2})(-?)(?=[0-9])/, (all, mark, hyphen) => (mark === country || (hyphen && mark === country[0]) ? "" : all));

// plainTaxId returns a tax id in upper case, without separators, with its country prefix.
export function plainTaxId(country, typed) {
	const prefix = country === "GR" ? "EL" : country;
	const plain = capitals(typed).replace(/[^A-Z0-9+*]/g, "").replace(/^GR/, "EL");
	return plain.startsWith(prefix) ? plain : prefix + plain;
}

// readable is the pattern of a text without control characters. longest has the maximum lengths of the fields.
export const readable = "^[^\\0-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]*$";
export const longest = { businessName: 300, state: 100, postcode: 20, taxId: 40 };
