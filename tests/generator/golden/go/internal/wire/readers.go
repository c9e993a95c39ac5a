package wire

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MostItems bounds an array in a body.
const MostItems = 1000

const mostText = 1_000_000

var (
	emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	urlForm   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$`)
)

// The readers of fields whose kind says everything.
var (
	UUID  = Quoted(ParseUUID)
	Day   = Quoted(ParseDate)
	Time  = Quoted(ParseTime)
	When  = Quoted(ParseTimestamp)
	IP    = Quoted(ParseIP)
	Email = Text(AtMost(320), matches(emailForm, "should be an e-mail address"))
	URL   = Text(AtMost(2048), matches(urlForm, "should be an address such as https://example.com"))
)

// Check refuses some values of a type.
type Check[T any] func(value T) *Fault

// Text reads a string.
func Text(checks ...Check[string]) Reader[string] {
	return checked(Quoted(ParseText), append(checks, AtMost(mostText)))
}

// Int32 reads a whole number of 32 bits.
func Int32(checks ...Check[int32]) Reader[int32] { return checked(bare(ParseInt32), checks) }

// Int53 reads a whole number that every language can hold.
func Int53(checks ...Check[int64]) Reader[int64] { return checked(bare(ParseInt53), checks) }

// Float reads a number.
func Float(checks ...Check[float64]) Reader[float64] { return checked(bare(ParseFloat), checks) }

// Exact reads a decimal, which is a string.
func Exact(precision, scale int, checks ...Check[Decimal]) Reader[Decimal] {
	return checked(Quoted(ParseDecimal(precision, scale)), checks)
}

// Bool reads true or false.
func Bool(raw json.RawMessage) (bool, *Fault) {
	found, err := ParseBool(string(raw))
	return found, invalid(err)
}

// Bytes reads base64.
func Bytes(raw json.RawMessage) ([]byte, *Fault) {
	text, fault := str(raw)
	if fault != nil {
		return nil, fault
	}
	found, err := base64.StdEncoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, &Fault{Code: "invalid", Message: "should be base64"}
	}
	return found, nil
}

// Document reads an object or an array, whatever is in it.
func Document(raw json.RawMessage) (json.RawMessage, *Fault) {
	if raw[0] != '{' && raw[0] != '[' {
		return nil, &Fault{Code: "invalid", Message: "should be an object or an array"}
	}
	return raw, nil
}

// ID reads the text of an id.
var ID = Quoted(ParseID)

// Many reads an array of so many items.
func Many[T any](read Reader[T], least, most int) Reader[[]T] { return listOf(read, least, most) }

// List reads an array.
func List[T any](read Reader[T]) Reader[[]T] { return listOf(read, 0, MostItems) }

func listOf[T any](read Reader[T], least, most int) Reader[[]T] {
	return func(raw json.RawMessage) ([]T, *Fault) {
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, &Fault{Code: "invalid", Message: "should be an array"}
		}
		if len(items) < least || len(items) > most {
			return nil, &Fault{Code: "invalid", Message: fmt.Sprintf("should have %d to %d items", least, most)}
		}
		found := make([]T, len(items))
		for place, item := range items {
			value, fault := read(item)
			if fault != nil {
				fault.At = append([]string{strconv.Itoa(place)}, fault.At...)
				return nil, fault
			}
			found[place] = value
		}
		return found, nil
	}
}

// Quoted reads a string of JSON as its text is read elsewhere.
func Quoted[T any](parse Parser[T]) Reader[T] {
	return func(raw json.RawMessage) (T, *Fault) {
		text, fault := str(raw)
		if fault != nil {
			var none T
			return none, fault
		}
		found, err := parse(text)
		return found, invalid(err)
	}
}

// Least refuses smaller numbers.
func Least[T cmp.Ordered](least T) Check[T] {
	return func(value T) *Fault {
		if value < least {
			return &Fault{Code: "invalid", Message: fmt.Sprintf("should be at least %v", least)}
		}
		return nil
	}
}

// Most refuses larger numbers.
func Most[T cmp.Ordered](most T) Check[T] {
	return func(value T) *Fault {
		if value > most {
			return &Fault{Code: "invalid", Message: fmt.Sprintf("should be at most %v", most)}
		}
		return nil
	}
}

// LeastExact refuses smaller decimals.
func LeastExact(least Decimal) Check[Decimal] {
	return func(value Decimal) *Fault {
		if compare(value, least) < 0 {
			return &Fault{Code: "invalid", Message: fmt.Sprintf("should be at least %s", least)}
		}
		return nil
	}
}

// MostExact refuses larger decimals.
func MostExact(most Decimal) Check[Decimal] {
	return func(value Decimal) *Fault {
		if compare(value, most) > 0 {
			return &Fault{Code: "invalid", Message: fmt.Sprintf("should be at most %s", most)}
		}
		return nil
	}
}

// AtLeast refuses shorter texts.
func AtLeast(characters int) Check[string] {
	return func(text string) *Fault {
		if utf8.RuneCountInString(text) < characters {
			return &Fault{Code: "too_short", Message: fmt.Sprintf("should have at least %d characters", characters)}
		}
		return nil
	}
}

// AtMost refuses longer texts.
func AtMost(characters int) Check[string] {
	return func(text string) *Fault {
		if utf8.RuneCountInString(text) > characters {
			return &Fault{Code: "too_long", Message: fmt.Sprintf("should have at most %d characters", characters)}
		}
		return nil
	}
}

// Matching refuses texts that the regular expression does not match.
func Matching(pattern string) Check[string] {
	return matches(regexp.MustCompile(pattern), "should match "+pattern)
}

func matches(pattern *regexp.Regexp, message string) Check[string] {
	return func(text string) *Fault {
		if !pattern.MatchString(text) {
			return &Fault{Code: "invalid", Message: message}
		}
		return nil
	}
}

func checked[T any](read Reader[T], checks []Check[T]) Reader[T] {
	return func(raw json.RawMessage) (T, *Fault) {
		found, fault := read(raw)
		for _, check := range checks {
			if fault == nil {
				fault = check(found)
			}
		}
		return found, fault
	}
}

// bare reads a number of JSON by its digits, so that none is lost on the way through a float.
func bare[T any](parse Parser[T]) Reader[T] {
	return func(raw json.RawMessage) (T, *Fault) {
		found, err := parse(string(raw))
		return found, invalid(err)
	}
}

func str(raw json.RawMessage) (string, *Fault) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", &Fault{Code: "invalid", Message: "should be written as a string"}
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || hasLoneSurrogate(string(raw)) {
		return "", &Fault{Code: "invalid", Message: "should be Unicode"}
	}
	return text, nil
}

// hasLoneSurrogate finds half of a character, which Go would silently replace.
func hasLoneSurrogate(quoted string) bool {
	for place := 0; place+1 < len(quoted); place++ {
		if quoted[place] != '\\' {
			continue
		}
		place++
		if quoted[place] != 'u' {
			continue
		}
		unit := codeUnit(quoted[place-1:])
		switch {
		case unit >= 0xDC00 && unit < 0xE000:
			return true
		case unit >= 0xD800 && unit < 0xDC00:
			second := codeUnit(quoted[place+5:])
			if second < 0xDC00 || second >= 0xE000 {
				return true
			}
			place += 6
		}
	}
	return false
}

// codeUnit is the value of an escape such as \u00e9; 0 if the text begins otherwise.
func codeUnit(text string) uint64 {
	if len(text) < 6 || text[:2] != `\u` {
		return 0
	}
	found, err := strconv.ParseUint(text[2:6], 16, 16)
	if err != nil {
		return 0
	}
	return found
}

func invalid(err error) *Fault {
	if err == nil {
		return nil
	}
	return &Fault{Code: "invalid", Message: err.Error()}
}

func convert[A, B any](read Reader[A], to func(A) B) Reader[B] {
	return func(raw json.RawMessage) (B, *Fault) {
		found, fault := read(raw)
		if fault != nil {
			var none B
			return none, fault
		}
		return to(found), nil
	}
}

// Also is the reader with more checks.
func Also[T any](read Reader[T], checks ...Check[T]) Reader[T] { return checked(read, checks) }
