package country

import (
	"strings"
	"testing"
)

// postcodes are valid postcodes of a country and, after the bar, invalid ones.
var postcodes = map[Code]string{
	"AD": "AD500, AD 500, 500 | 5000",
	"AR": "1425, C1425CLA, C 1425 CLA | C1425, 14255",
	"AT": "1010, A-1010, AT-1010 | 10100, B-1010, 101O",
	"AU": "2000, 0800 | 200, 20000, NSW",
	"AX": "22100, AX-22100 | 2210",
	"AZ": "AZ1000, AZ 1000, 1000 | AZ100",
	"BE": "1000, B-1000 | 10000",
	"BG": "1000, BG-1000 | SOFIA",
	"BR": "01310-100, 01310100 | 1310-100",
	"CA": "K1A 0B1, K1A0B1, H3Z 2Y7, CA-K1A 0B1, K1A-0B1, h2x-1y4, Ｋ１Ａ－０Ｂ１ | K1A OB1, K1A, 90210, KIA 0B1",
	"CH": "8001, CH-8001 | 80010, FL-8001",
	"CL": "8340457, 834-0457 | 834045",
	"CN": "100000, 100 000, １０００００ | 10000",
	"CY": "1010, CY-1010 | 101",
	"CZ": "110 00, 11000, CZ-110 00, 110-00 | 1100",
	"DE": "10115, D-10115, DE-10115, DE 10115, 10-115, ＤＥ－１０１１５ | 1011, 101155, F-10115, DDE10115, 1011A",
	"DK": "2100, DK-2100 | 210",
	"EE": "10111 | 1011",
	"ES": "28001, E-28001, 35001 | 2800, 28001-1",
	"FI": "00100, FI-00100 | 100",
	"FR": "75001, F-75001, 97110, 75 001 | 7500, 750011, 2A004",
	"GB": "SW1A 1AA, SW1A1AA, M1 1AE, B33 8TH, CR2 6XH, DN55 1PT, W1A 0AX, EC1A 1BB, GIR 0AA, BFPO 57, BFPO 5, " +
		"BFPO 1234, BF1 3AA, JE2 3AB, BT1 1AA, SW1A-1AA | SW1A, SW1A 1A, 1AA SW1A, 12345, SW1A 1AAA, AAA 1AA, " +
		"BFPO, BFPO 12345, W1 1A1, GIR 1AA, S\u0301W1A 1AA",
	"GG": "GY1 1AA, GY10 1AA | 12345",
	"GR": "105 57, 10557, GR-105 57 | 1055",
	"HR": "10000, HR-10000 | 1000",
	"HU": "1051, H-1051 | 10511",
	"IE": "D02 X285, D02X285, D6W X285, A65 F4E2 | D02, X285, DO2 X285, D02 X28, D02 X2855, 12345",
	"IL": "9614303, 96143 | 961430",
	"IM": "IM1 1AA, IM99 1PS | IM1",
	"IN": "110001, 110 001 | 11001, 1100011",
	"IR": "11936-12345, 1193612345 | 11936",
	"IS": "101, IS-101 | 1010",
	"IT": "00144, I-00144 | 0144",
	"JP": "100-0001, 1000001, １００−０００１, １００ー０００１, １０００００１, 100‐0001, 〒100-0001, 〒１００－０００１ | 100-001, 10000-001, 100_0001",
	"KR": "03187, 110-110, 110110 | 0318, 110-1",
	"KZ": "050012, A15E3B1 | 05001, AA5E3B1",
	"LI": "9490, FL-9490, LI-9490 | 949",
	"LT": "LT-01100, 01100 | 0110",
	"LU": "L-1234, 1234, LU-1234 | L-123",
	"LV": "LV-1010, LV1010, 1010 | LT-1010",
	"MC": "98000, MC-98000 | 9800",
	"MD": "MD-2001, 2001 | 200",
	"MT": "VLT 1117, VLT1117, NXR 01 | VLT, 1117, VLT 111",
	"MX": "06000 | 6000",
	"NL": "1012 AB, 1012AB, NL-1012 AB, 1012-AB | 1012, 1012 A, AB 1012",
	"NO": "0150, N-0150, NO-0150 | 150",
	"NZ": "6011 | 601",
	"PL": "00-950, 00950, PL-00-950, PL-00950 | 009-5, 0-09500, 0095",
	"PR": "00901, 00901-1234, 00901 1234 | 0090",
	"PT": "1000-001, 1000001, 1000, P-1000-001 | 100-001, 1000-01",
	"RO": "010011 | 10011",
	"RU": "101000 | 10100",
	"SA": "11564, 11564-1234 | 1156",
	"SE": "111 22, 11122, SE-111 22, S-111 22 | 1112",
	"SG": "018956 | 18956, 01895A",
	"SI": "1000, SI-1000 | 10000",
	"SK": "811 01, 81101 | 8110",
	"TR": "34000, TR-34000 | 3400",
	"TW": "100, 10603, 106409 | 1060",
	"UA": "01001 | 0100",
	"US": "94105, 94105-1234, 941051234, 94105 1234, 00501, US-94105 | 9410, 941055, 94105-12, " +
		"K1A 0B1, CA 94105, ٩٤١٠٥, 94105\x00, 94105\n, \xff4105, -, --, US, US-, ",
	"VN": "100000, 10000 | 1000",
	"ZA": "0001 | 001",
}

func TestValidPostcode(t *testing.T) {
	for c, texts := range postcodes {
		good, bad, _ := strings.Cut(texts, " | ")
		for s := range strings.SplitSeq(good, ", ") {
			if !c.ValidPostcode(s) {
				t.Errorf("%s refuses %q", c, s)
			}
		}
		for s := range strings.SplitSeq(bad, ", ") {
			if c.ValidPostcode(s) {
				t.Errorf("%s accepts %q", c, s)
			}
		}
	}
}

func TestEUMembersHaveFormats(t *testing.T) {
	for c := range All() {
		if c.InEU() && c.ValidPostcode("?") {
			t.Errorf("%s is in the EU and accepts any postcode", c)
		}
	}
}

func TestUnknownFormatsAreAccepted(t *testing.T) {
	for _, c := range []Code{"HK", "AE", "BO", "PE", "SV", "AQ"} {
		for _, s := range []string{"", "0", "N/A", "999077", "00000", "\xff", strings.Repeat("9", 1000)} {
			if !c.ValidPostcode(s) {
				t.Errorf("%s refuses %q", c, s)
			}
		}
	}
}

func TestHasPostcode(t *testing.T) {
	without := 0
	for c := range All() {
		if !c.HasPostcode() {
			without++
		}
	}
	if without != len(withoutPostcode)/2 {
		t.Errorf("%d countries have no postcode, but the table lists %q", without, withoutPostcode)
	}
	for c, want := range map[Code]bool{"AE": false, "HK": false, "QA": false, "GB": true, "IE": true, "SG": true, "US": true} {
		if c.HasPostcode() != want {
			t.Errorf("%s.HasPostcode() = %t", c, !want)
		}
	}
}

// TestPostcodeExample checks that every country with a known format has a valid example, of digits only if digits is set.
func TestPostcodeExample(t *testing.T) {
	for c := range All() {
		example, digits := c.PostcodeExample()
		known := !c.ValidPostcode("?")
		if !c.ValidPostcode(example) || (example != "") != known || digits && strings.Trim(example, "0123456789") != "" {
			t.Errorf("%s: %q, %t", c, example, digits)
		}
	}
	for c, want := range map[Code]string{"US": "12345", "IN": "123456", "GB": "SW1A 1AA", "NL": "1012 AB", "HK": ""} {
		if got, _ := c.PostcodeExample(); got != want {
			t.Errorf("%s: %q, not %q", c, got, want)
		}
	}
	for c, want := range map[Code]bool{"US": true, "DE": true, "KR": true, "AR": false, "GB": false, "CA": false, "JP": false, "HK": false} {
		if _, got := c.PostcodeExample(); got != want {
			t.Errorf("%s: digits alone: %t", c, got)
		}
	}
}

// TestShapes checks the tables maintained by hand: a format has known symbols and occurs once, its countries exist and are
// in order, and none of them is a country without postcodes.
func TestShapes(t *testing.T) {
	rows := map[string]string{"": withoutPostcode}
	for line := range strings.SplitSeq(strings.TrimSuffix(shapes, "\n"), "\n") {
		shape, row, _ := strings.Cut(line, " ")
		if rows[shape] != "" || strings.Trim(shape, "naxABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			t.Errorf("the shape of %q", line)
		}
		rows[shape] = row
	}
	for shape, row := range rows {
		last := Code("")
		for c := range each[Code](row) {
			if _, ok := Parse(string(c)); !ok || c.HasPostcode() != (shape != "") || c <= last {
				t.Errorf("%q: %s is out of place", shape, c)
			}
			last = c
		}
	}
}

// TestBarePostcode checks that spellings of one postcode are equal, for the tax of its territory.
func TestBarePostcode(t *testing.T) {
	for c, spellings := range map[Code]string{
		"JP": "1000001, 〒100-0001, 〒１００ー０００１, JP-100-0001",
		"ES": "35001, E-35001, ES-35001, ３５００１, 35 001",
		"DE": "78266, D-78266, DE 78266, d-78266",
		"US": "94105, US-94105, 94105",
		"GB": "JE23AB, JE2 3AB, je2-3ab",
		"LI": "FL9490, FL-9490",
		"AZ": "1000, AZ1000, AZ-1000, AZ 1000",
	} {
		all := strings.Split(spellings, ", ")
		for _, s := range all {
			if got := c.BarePostcode(s); got != all[0] {
				t.Errorf("%s: %q is %q, not %q", c, s, got, all[0])
			}
		}
	}
}

func FuzzValidPostcode(f *testing.F) {
	for c, texts := range postcodes {
		good, bad, _ := strings.Cut(texts, " | ")
		f.Add(string(c), good)
		f.Add(string(c), bad)
	}
	f.Add("", "")
	f.Add("U", "-")
	f.Fuzz(func(t *testing.T, code, s string) {
		Code(code).ValidPostcode(s) // no code and no text may panic
		c, ok := Parse(code)
		if ok && c.ValidPostcode(s) != c.ValidPostcode(" "+strings.Join(strings.Split(s, ""), " ")+" ") {
			t.Errorf("%s: spaces change the verdict on %q", c, s)
		}
		if bare := c.BarePostcode(s); ok && c.ValidPostcode(bare) != c.ValidPostcode(s) {
			t.Errorf("%s: the significant characters of %q are %q", c, s, bare)
		}
	})
}
