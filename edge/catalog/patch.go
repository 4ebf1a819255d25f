package catalog

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Patch is the change of one field. The zero value leaves the field as it is; Given with the zero Value clears it.
type Patch[T any] struct {
	Given bool
	Value T
}

// Set returns a patch that sets a field.
func Set[T any](value T) Patch[T] { return Patch[T]{true, value} }

// to applies the patch to a field.
func (p Patch[T]) to(field *T) {
	if p.Given {
		*field = p.Value
	}
}

// text applies a patch to a text, after trimming it. most is its longest length in characters. Control characters are refused, line
// feeds only unless lines.
func text(p Patch[string], field *string, path string, most int, lines bool) *problem.Problem {
	if !p.Given {
		return nil
	}
	value := strings.TrimSpace(p.Value)
	if utf8.RuneCountInString(value) > most {
		return tooLong(path, most)
	}
	control := func(r rune) bool { return unicode.IsControl(r) && !(lines && (r == '\n' || r == '\r' || r == '\t')) }
	if !utf8.ValidString(value) || strings.ContainsFunc(value, control) {
		return invalid(path, "")
	}
	*field = value
	return nil
}

// name applies a patch to a required name.
func name(p Patch[string], field *string, most int) *problem.Problem {
	if refused := text(p, field, "/name", most, false); refused != nil {
		return refused
	}
	if *field == "" {
		return missing("/name")
	}
	seen := func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }
	if !strings.ContainsFunc(*field, seen) {
		return invalid("/name", "")
	}
	return nil
}

// fieldName is how messages name a field: "seller.vatId" for "/seller/vatId".
func fieldName(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".")
}

func missing(path string) *problem.Problem {
	return problem.New(problem.Invalid, "field-required", path, "Missing required field: "+fieldName(path))
}

func tooLong(path string, most int) *problem.Problem {
	return problem.New(problem.Invalid, "text-too-long", path, fieldName(path)+" must be at most "+strconv.Itoa(most)+" characters")
}

// invalid refuses a value. expected says what its form is, "" where the name says enough.
func invalid(path, expected string) *problem.Problem {
	if expected != "" {
		expected = ": expected " + expected
	}
	return problem.New(problem.Invalid, "field-invalid", path, "Invalid "+fieldName(path)+expected)
}

func tooMany(path string, most int, what string) *problem.Problem {
	return problem.New(problem.Invalid, "too-many-entries", path, fieldName(path)+" must have at most "+strconv.Itoa(most)+" "+what)
}

// checkID checks the form of the id of a store or product.
func checkID(path, prefix, id string) *problem.Problem {
	if id == "" {
		return missing(path)
	}
	if _, ok := shortid.Parse(prefix, id); !ok {
		kind := "Store"
		if prefix == shortid.Product {
			kind = "Product"
		}
		return invalid(path, kind+" Short ID format ("+prefix+"_xxx)")
	}
	return nil
}

func productNotFound(path string) *problem.Problem {
	return problem.New(problem.NotFound, "product-not-found", path, "Product not found")
}
