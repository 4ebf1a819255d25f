package country

// StateOf returns the state or province of a postcode in the forms that ValidPostcode accepts: "NY" for 10012 in the United
// States, "ON" for K1A 0B1 in Canada. It is empty for other countries, for an invalid postcode and if the prefix is
// ambiguous.
//
// It is for filling in a form. Some post offices serve addresses across a state border, so a postcode must not be refused
// because its state differs.
func (c Code) StateOf(postcode string) Subdivision {
	areas := ""
	switch c {
	case "US":
		areas = areasUS
	case "CA":
		areas = areasCA
	}
	s, _, valid := c.read(postcode)
	if areas == "" || !valid {
		return ""
	}
	found := ""
	for ; areas != "" && areas[:3] <= s; areas = areas[5:] {
		found = areas[3:5]
	}
	if found == "--" {
		return ""
	}
	return Subdivision(found)
}

// The postcode areas: the first three characters of the first postcode of each, and the state of all postcodes up to the
// next area. The source for the United States is Publication 65 and Labeling List L002 of its postal service; for Canada it
// is Canada Post's Addressing Guidelines (the first letter, for X the second and third characters too). Unassigned numbers
// belong to the area before them.
const (
	areasUS = "005NY006PR008VI009PR010MA028RI030NH039ME050VT055MA056VT060CT070NJ090AE100NY150PA197DE200DC201VA202DC" +
		"206MD220VA247WV270NC290SC300GA320FL340AA341FL350AL370TN386MS398GA400KY430OH460IN480MI500IA530WI550MN" +
		"569DC570SD580ND590MT600IL630MO660KS680NE700LA716AR730OK733TX734OK750TX800CO820WY832ID840UT850AZ870NM" +
		"885TX889NV900CA962AP967HI969--970OR980WA995AK"
	areasCA = "A0ANLB0ANSC0APED0A--E0ANBF0A--G0AQCI0A--J0AQCK0AONQ0A--R0AMBS0ASKT0AABU0A--V0ABCW0A--X0ANUX0ENTY0AYTZ0A--"
)
