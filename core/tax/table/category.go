package table

// Category is the tax category of a product, one of the API's seven. The zero value is none of them.
type Category uint8

const (
	DigitalGoods Category = iota + 1
	SaaS
	Software
	Ebook
	OnlineCourse
	Consulting
	ProfessionalService
)

// categoryNames are the API's names, in the order of the constants.
var categoryNames = [...]string{
	"digital_goods", "saas", "software", "ebook", "online_course", "consulting", "professional_service",
}

// ParseCategory reads the API's name of a category, "digital_goods".
func ParseCategory(s string) (Category, bool) {
	for i, name := range categoryNames {
		if name == s {
			return Category(i + 1), true
		}
	}
	return 0, false
}

// Valid reports whether c is one of the seven.
func (c Category) Valid() bool { return c >= DigitalGoods && c <= ProfessionalService }

// String returns the API's name, or an empty string for an invalid category.
func (c Category) String() string {
	if !c.Valid() {
		return ""
	}
	return categoryNames[c-1]
}
