package texts

import "strconv"

// English is the language of the texts in the source, and that of the tests.
var English = Language{
	Code:   "en",
	Number: func(v float64, decimals int) string { return strconv.FormatFloat(v, 'f', decimals, 64) },
	Plural: func(n int) string {
		if n == 1 {
			return "one"
		}
		return "other"
	},
}

// Number writes a number with so many decimals.
func Number(v float64, decimals int) string { return current.Number(v, decimals) }

// Trimmed writes a number with as many decimals as it needs, but with two at most.
func Trimmed(v float64) string {
	short := strconv.FormatFloat(v, 'f', 2, 64)
	decimals := 2
	for decimals > 0 && short[len(short)-1] == '0' {
		short = short[:len(short)-1]
		decimals--
	}
	return Number(v, decimals)
}

// Percent writes a fraction of 1 in percent.
func Percent(fraction float64) string { return F("%s %%", Number(100*fraction, 0)) }

// Bytes writes a number of bytes as loader.FormatBytes does.
func Bytes(n int64) string {
	switch b := float64(n); {
	case n >= 1e10:
		return F("%s GB", Number(b/1e9, 1))
	case n >= 1e9:
		return F("%s GB", Number(b/1e9, 2))
	case n >= 1e8:
		return F("%s MB", Number(b/1e6, 0))
	case n >= 1e6:
		return F("%s MB", Number(b/1e6, 1))
	default:
		return F("%s kB", Number(b/1e3, 0))
	}
}

// Seconds writes how long something takes.
func Seconds(s float64) string {
	switch {
	case s >= 90:
		return F("%s min", Number(s/60, 0))
	case s >= 10:
		return F("%s s", Number(s, 0))
	case s >= 0.1 || s == 0:
		return F("%s s", Number(s, 1))
	}
	return F("%s ms", Number(1000*s, 0))
}
