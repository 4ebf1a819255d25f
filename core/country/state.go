package country

import "strings"

// StateOf is the state or province in which a postcode lies, read as ValidPostcode reads it: "NY" for 10012 in the United
// States, "ON" for K1A 0B1 in Canada. It is empty for other countries, for what is no postcode, and where the beginning of
// one does not say.
//
// It is for filling in a form. A few post offices serve places beyond the border of their state, so that a buyer who
// says otherwise may well be right: never refuse one for it.
func (c Code) StateOf(postcode string) Subdivision {
	areas := ""
	switch c {
	case "US":
		areas = areasUS
	case "CA":
		areas = areasCA
	}
	s := c.unmarked(plain(postcode))
	if areas == "" || !c.ValidPostcode(s) {
		return ""
	}
	found := ""
	for area := range strings.FieldsSeq(areas) {
		if begin, state, _ := strings.Cut(area, ":"); begin <= s {
			found = state
		}
	}
	return Subdivision(found)
}

// The areas of postcodes, each by its beginning and as far as the next one, with its state. That of the United States is
// Publication 65 and Labeling List L002 of its postal service, three digits where those are enough; the islands that share
// 967 and 969 and New York's in Connecticut's 063 are told apart. That of Canada is the first letter, and of X the second
// and third too, in Canada Post's Addressing Guidelines. Numbers that nobody has are left with their neighbours.
const (
	areasUS = "005:NY 006:PR 008:VI 009:PR 010:MA 028:RI 030:NH 039:ME 050:VT 055:MA 056:VT 060:CT 06390:NY 06391:CT 070:NJ " +
		"090:AE 100:NY 150:PA 197:DE 200:DC 201:VA 202:DC 206:MD 220:VA 247:WV 270:NC 290:SC 300:GA 320:FL 340:AA 341:FL " +
		"350:AL 370:TN 386:MS 398:GA 400:KY 430:OH 460:IN 480:MI 500:IA 530:WI 550:MN 569:DC 570:SD 580:ND 590:MT 600:IL " +
		"630:MO 660:KS 680:NE 700:LA 716:AR 730:OK 733:TX 734:OK 750:TX 800:CO 820:WY 832:ID 840:UT 850:AZ 870:NM 885:TX " +
		"889:NV 900:CA 962:AP 967:HI 96799:AS 968:HI 969: 96910:GU 96933: 96950:MP 96953: 970:OR 980:WA 995:AK"
	areasCA = "A:NL B:NS C:PE D: E:NB F: G:QC I: J:QC K:ON Q: R:MB S:SK T:AB U: V:BC W: X:NT X0A:NU X0E:NT Y:YT Z:"
)
