package country

import (
	"slices"
	"strings"
	"testing"
)

// capitals are the postcodes of every state's, province's and territory's seat of government, and of some places near a
// border.
var capitals = map[Code]string{
	"US": "AL 36104, AK 99801, AZ 85001, AR 72201, CA 95814, CO 80202, CT 06103, DE 19901, DC 20001, DC 20500, FL 32301, " +
		"GA 30303, GA 39901, HI 96813, ID 83702, IL 62701, IN 46225, IA 50309, KS 66603, KY 40601, LA 70802, ME 04330, MD 21401, " +
		"MA 02201, MA 05501, MI 48933, MN 55102, MS 39205, MO 65101, MT 59623, NE 68502, NV 89701, NH 03301, NJ 08608, NM 87501, " +
		"NY 12207, NY 10012, NY 10012-1234, NY 00501, NC 27601, ND 58501, OH 43215, OK 73102, OR 97301, PA 17101, " +
		"RI 02903, SC 29217, SD 57501, TN 37219, TX 78701, TX 73301, TX 88510, UT 84111, VT 05602, VA 23219, VA 20170, WA 98507, " +
		"WV 25301, WI 53703, WY 82001, PR 00901, VI 00802, AA 34002, AE 09012, AP 96201, " +
		"NY US-10012, NY １００１２",
	"CA": "AB T5J 2R7, BC V8V 1X4, MB R3C 0V8, NB E3B 1B5, NL A1B 4J6, NS B3J 1T3, NT X1A 2L9, NU X0A 0H0, ON M7A 1A1, ON k1a0b1, " +
		"PE C1A 7N8, QC G1A 1A4, QC H2Y 1C6, QC J8X 3X7, SK S4S 0B3, YT Y1A 2C6",
}

func TestStateOf(t *testing.T) {
	for c, list := range capitals {
		var seen []Subdivision
		for entry := range strings.SplitSeq(list, ", ") {
			want, postcode, _ := strings.Cut(entry, " ")
			got := c.StateOf(postcode)
			if string(got) != want {
				t.Errorf("%s: %s is in state %q, want %q", c, postcode, got, want)
			}
			seen = append(seen, got)
		}
		for s := range c.Subdivisions() {
			// The islands of the Pacific share 967 and 969 with each other, and nobody lives in UM.
			if !slices.Contains(seen, s) && !strings.Contains("AS GU MP UM", string(s)) {
				t.Errorf("no postcode for %s-%s", c, s)
			}
		}
	}
	for _, unknown := range []struct {
		c Code
		s string
	}{
		{"US", ""}, {"US", "1001"}, {"US", "K1A 0B1"}, {"US", "00401"}, {"US", "96910"}, {"US", "96960"}, {"CA", "10012"}, {"CA", "K1A"},
		{"CA", "D1A 1A1"}, {"CA", "W1A 1A1"}, {"DE", "10115"}, {"PR", "00901"}, {"", "10012"}, {"US", "\xff\xff\xff\xff\xff"},
	} {
		if got := unknown.c.StateOf(unknown.s); got != "" {
			t.Errorf("%s: %q is in state %q", unknown.c, unknown.s, got)
		}
	}
}

// TestAreas checks that the areas are in order and that each has a state of the country or none.
func TestAreas(t *testing.T) {
	for c, areas := range map[Code]string{"US": areasUS, "CA": areasCA} {
		last := ""
		for ; areas != ""; areas = areas[5:] {
			begin, state := areas[:3], areas[3:5]
			if _, ok := c.ParseSubdivision(state); !ok && state != "--" || begin <= last {
				t.Errorf("%s: the area %s", c, areas[:5])
			}
			last = begin
		}
	}
}

func FuzzStateOf(f *testing.F) {
	f.Add("US", "10012")
	f.Add("CA", "k1a 0b1")
	f.Add("US", "US-")
	f.Fuzz(func(t *testing.T, code, s string) {
		c := Code(code)
		state := c.StateOf(s)
		if state == "" {
			return
		}
		if parsed, ok := c.ParseSubdivision(string(state)); !ok || parsed != state || !c.ValidPostcode(s) {
			t.Errorf("%s: %q is in state %q", c, s, state)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("US", "CA")
	f.Add("CA", "CA-QC")
	f.Add("XK", "")
	f.Fuzz(func(t *testing.T, code, subdivision string) {
		c, ok := Parse(code)
		if known := find(codes, code) >= 0; ok != known || ok && string(c) != code {
			t.Fatalf("%q: %q, %t", code, c, ok)
		}
		if s, ok := c.ParseSubdivision(subdivision); ok && strings.TrimPrefix(subdivision, code+"-") != string(s) {
			t.Fatalf("%s: %q is %q", code, subdivision, s)
		}
	})
}
