package wire

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// Decimal is a number with exact digits: a string, since a number of JSON would lose some.
type Decimal string

// Date is a day, such as 2026-01-31.
type Date string

// TimeOfDay is a time without a day, such as 09:30:00.
type TimeOfDay string

// MarshalJSON writes six digits of a second or none.
func (t TimeOfDay) MarshalJSON() ([]byte, error) {
	whole, fraction, broken := strings.Cut(string(t), ".")
	if broken {
		whole += "." + (fraction + "000000")[:6]
	}
	return []byte(`"` + whole + `"`), nil
}

// Timestamp is a moment in UTC with milliseconds, which is what every language can keep.
type Timestamp struct{ time.Time }

const milliseconds = "2006-01-02T15:04:05.000Z"

func (t Timestamp) String() string { return t.UTC().Format(milliseconds) }

// MarshalJSON writes RFC 3339 with exactly three digits.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, `"`+milliseconds+`"`), nil
}

// ScanTimestamptz reads from PostgreSQL.
func (t *Timestamp) ScanTimestamptz(v pgtype.Timestamptz) error {
	if !v.Valid || v.InfinityModifier != pgtype.Finite {
		return errors.New("a timestamp is null or infinite")
	}
	t.Time = v.Time
	return nil
}

// TimestamptzValue writes to PostgreSQL.
func (t Timestamp) TimestamptzValue() (pgtype.Timestamptz, error) {
	return pgtype.Timestamptz{Time: t.Time, Valid: true}, nil
}

// MostInteger is the largest integer that a number of JavaScript holds exactly.
const MostInteger = 1<<53 - 1

// Parser reads one value from text: a query string, a path, a claim of a token, or a string of JSON.
type Parser[T any] func(text string) (T, error)

// ParseText takes any text that PostgreSQL can store.
func ParseText(text string) (string, error) {
	if strings.ContainsRune(text, 0) {
		return "", errors.New("a NUL character cannot be stored")
	}
	return text, nil
}

// ParseID takes the text of an id.
func ParseID(text string) (string, error) {
	if text == "" || len(text) > 255 {
		return "", errors.New("should have 1 to 255 characters")
	}
	return ParseText(text)
}

// ParseInt32 takes a whole number of 32 bits.
func ParseInt32(text string) (int32, error) {
	found, err := strconv.ParseInt(text, 10, 32)
	if err != nil || text[0] == '+' {
		return 0, fmt.Errorf("should be a whole number from %d to %d", math.MinInt32, math.MaxInt32)
	}
	return int32(found), nil
}

// ParseInt53 takes a whole number that every language can hold.
func ParseInt53(text string) (int64, error) {
	found, err := strconv.ParseInt(text, 10, 64)
	if err != nil || text[0] == '+' || found < -MostInteger || found > MostInteger {
		return 0, fmt.Errorf("should be a whole number from %d to %d", int64(-MostInteger), int64(MostInteger))
	}
	return found, nil
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// ParseFloat takes a finite number.
func ParseFloat(text string) (float64, error) {
	found, err := strconv.ParseFloat(text, 64)
	if err != nil || !number.MatchString(text) {
		return 0, errors.New("should be a number")
	}
	return found, nil
}

// ParseBool takes true or false.
func ParseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, errors.New("should be true or false")
	}
	return text == "true", nil
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// ParseUUID takes a UUID in its one usual form.
func ParseUUID(text string) (uuid.UUID, error) {
	if !uuidForm.MatchString(text) {
		return uuid.Nil, errors.New("should be a UUID")
	}
	return uuid.Parse(text)
}

// ParseDecimal takes so many digits at most before and after the point.
func ParseDecimal(precision, scale int) Parser[Decimal] {
	whole := max(precision-scale, 1)
	return func(text string) (Decimal, error) {
		before, after, pointed := strings.Cut(strings.TrimPrefix(text, "-"), ".")
		fits := isDigits(before, whole) && (!pointed || isDigits(after, scale))
		if !fits {
			return "", fmt.Errorf(
				"should be a string with at most %d digits before the point and %d after it", precision-scale, scale)
		}
		return Decimal(text), nil
	}
}

func isDigits(text string, most int) bool {
	for _, each := range text {
		if each < '0' || each > '9' {
			return false
		}
	}
	return 1 <= len(text) && len(text) <= most
}

// ParseDate takes a day of the calendar.
func ParseDate(text string) (Date, error) {
	found, err := time.Parse(time.DateOnly, text)
	if err != nil || found.Year() < 1 {
		return "", errors.New("should be a date such as 2026-01-31")
	}
	return Date(text), nil
}

var timeForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$`)

// ParseTime takes a time of day.
func ParseTime(text string) (TimeOfDay, error) {
	if !timeForm.MatchString(text) {
		return "", errors.New("should be a time such as 09:30:00")
	}
	return TimeOfDay(text), nil
}

var timestampForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$`)

// ParseTimestamp takes a moment with its zone.
func ParseTimestamp(text string) (Timestamp, error) {
	found, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	if err != nil || !timestampForm.MatchString(text) || found.UTC().Year() < 1 || found.UTC().Year() > 9999 {
		return Timestamp{}, errors.New("should be a time with its zone, such as 2026-01-31T09:30:00.000Z")
	}
	return Timestamp{found.UTC()}, nil
}

// ParseIP takes an address of IPv4 or IPv6.
func ParseIP(text string) (string, error) {
	found, err := netip.ParseAddr(text)
	if err != nil || found.Zone() != "" {
		return "", errors.New("should be an IP address")
	}
	return found.String(), nil
}

// ParseEnum takes one of the values.
func ParseEnum[T ~string](values ...T) Parser[T] {
	spelled := make([]string, len(values))
	for place, each := range values {
		spelled[place] = string(each)
	}
	message := "should be one of: " + strings.Join(spelled, ", ")
	return func(text string) (T, error) {
		for _, each := range values {
			if string(each) == text {
				return each, nil
			}
		}
		return "", errors.New(message)
	}
}

// Must is for values that the schema gave.
func Must[T any](parse Parser[T], text string) T {
	found, err := parse(text)
	if err != nil {
		panic(fmt.Sprintf("%q: %v", text, err))
	}
	return found
}

func compare(left, right Decimal) int {
	a, okay := new(big.Rat).SetString(string(left))
	b, fine := new(big.Rat).SetString(string(right))
	if !okay || !fine {
		return 0
	}
	return a.Cmp(b)
}
