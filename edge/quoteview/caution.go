package quoteview

import (
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// CautionsOf returns what may make the quote of a valid billing detail wrong: a day after the data's date, and a postcode of
// another state.
func CautionsOf(d *billing.Detail, on civil.Date) (cautions []Problem) {
	asOf := table.DataVersion[:len("2006-01-02")]
	if last, ok := civil.ParseDate(asOf); ok && on > last {
		cautions = append(cautions, Problem{"data-older-than-sale", "/on",
			"The rules were followed until " + asOf + ": a change since then is not known here"})
	}
	if states := statesOf(d.Country, d.Postcode); states != "" && !slices.Contains(strings.Fields(states), d.State) {
		cautions = append(cautions, Problem{"postcode-of-another-state", "/billingDetail/postcode",
			d.Postcode + " is a postcode of " + strings.ReplaceAll(states, " ", " or ") + ", not of " + d.State})
	}
	return cautions
}

// statesOf returns the states to which postcodes with the first characters of a postcode belong, separated by spaces; "" if that is
// not known.
func statesOf(c country.Code, postcode string) string {
	switch {
	case c == "US" && len(postcode) >= 3:
		for line := range strings.Lines(zips) {
			if area := postcode[:3]; line[:3] <= area && area <= line[4:7] {
				return strings.TrimSpace(line[7:])
			}
		}
	case c == "CA" && postcode != "" && !strings.HasPrefix(postcode, "K1A"): // the government's, in Ottawa and Gatineau
		for line := range strings.Lines(districts) {
			if letters, provinces, _ := strings.Cut(strings.TrimSpace(line), " "); strings.Contains(letters, postcode[:1]) {
				return provinces
			}
		}
	}
	return ""
}

// zips are the first three digits of ZIP codes, from and to, and their states (USPS Publication 65; the list of 3-digit prefixes).
const zips = `005-005 NY
006-007 PR
008-008 VI
009-009 PR
010-027 MA
028-029 RI
030-038 NH
039-049 ME
050-054 VT
055-055 MA
056-059 VT
060-062 CT
063-063 CT NY
064-069 CT
070-089 NJ
090-099 AE
100-149 NY
150-196 PA
197-199 DE
200-200 DC
201-201 VA
202-205 DC
206-219 MD
220-246 VA
247-268 WV
270-289 NC
290-299 SC
300-319 GA
320-339 FL
340-340 AA
341-349 FL
350-369 AL
370-385 TN
386-397 MS
398-399 GA
400-427 KY
430-459 OH
460-479 IN
480-499 MI
500-528 IA
530-549 WI
550-567 MN
569-569 DC
570-577 SD
580-588 ND
590-599 MT
600-629 IL
630-658 MO
660-679 KS
680-693 NE
700-714 LA
716-729 AR
730-732 OK
733-733 TX
734-749 OK
750-799 TX
800-816 CO
820-830 WY
831-831 WY ID
832-838 ID WY
840-847 UT
850-865 AZ
870-884 NM
885-885 TX
889-898 NV
900-961 CA
962-966 AP
967-967 HI AS
968-968 HI
969-969 GU MP
970-979 OR
980-994 WA
995-999 AK
`

// districts are the first letters of Canadian postcodes and their provinces (Canada Post, postal districts).
const districts = `A NL
B NS
C PE
E NB
GHJ QC
KLMNP ON
R MB
S SK
T AB
V BC
X NT NU
Y YT
`
