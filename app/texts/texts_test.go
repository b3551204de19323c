package texts

import (
	"strings"
	"testing"
)

// german writes numbers as German does.
var german = Language{
	Code: "de",
	Texts: map[string]any{
		"Delete": "Löschen", "%s of %s": "%[2]s, davon %[1]s", "%s GB": "%s GB", "%s s": "%s s",
		"%d pictures of %s": map[string]any{"one": "%d Bild von %s", "other": "%d Bilder von %s"},
	},
	Number: func(v float64, decimals int) string {
		return strings.Replace(English.Number(v, decimals), ".", ",", 1)
	},
	Plural: English.Plural,
}

func TestTexts(t *testing.T) {
	var kept Text = "Delete"
	both := func(what, english, translated string, f func() string) {
		t.Helper()
		for _, l := range []Language{English, german} {
			Use(l)
			want := english
			if l.Code == "de" {
				want = translated
			}
			if got := f(); got != want {
				t.Errorf("%s in %s: %q, want %q", what, l.Code, got, want)
			}
		}
		Use(English)
	}
	both("a text", "Delete", "Löschen", func() string { return T("Delete") })
	both("a text that is kept", "Delete", "Löschen", kept.String)
	both("the English text", "Delete", "Delete", func() string { return string(kept) })
	both("a text without a translation", "Crop", "Crop", func() string { return T("Crop") })
	both("another order", "1 of 2", "2, davon 1", func() string { return F("%s of %s", "1", "2") })
	both("one", "1 picture of Eva", "1 Bild von Eva", func() string { return N(1, "%d picture of %s", "%d pictures of %s", "Eva") })
	both("none", "0 pictures of Eva", "0 Bilder von Eva", func() string { return N(0, "%d picture of %s", "%d pictures of %s", "Eva") })
	both("bytes", "4.72 GB", "4,72 GB", func() string { return Bytes(4_718_000_000) })
	both("seconds", "1.5 s", "1,5 s", func() string { return Seconds(1.5) })
	both("trimmed", "0.7", "0,7", func() string { return Trimmed(0.7) })
	both("trimmed to nothing", "20", "20", func() string { return Trimmed(20) })
}

// Languages may have more than two forms, as Russian has.
func TestForms(t *testing.T) {
	Use(Language{
		Code:   "ru",
		Texts:  map[string]any{"%d pictures": map[string]any{"one": "%d картинка", "few": "%d картинки", "other": "%d картинок"}},
		Number: English.Number,
		Plural: func(n int) string { return map[int]string{1: "one", 2: "few", 5: "many"}[n] },
	})
	defer Use(English)
	for n, want := range map[int]string{1: "1 картинка", 2: "2 картинки", 5: "5 картинок"} {
		if got := N(n, "%d picture", "%d pictures"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A text that was made elsewhere is found with what was filled into it.
func TestTranslate(t *testing.T) {
	message := func(s string) any { return map[string]any{"message": s} }
	l := german
	l.Texts = map[string]any{
		"%s: %s":                     message("%s: %s"),
		"%s is not a number":         message("%s ist keine Zahl"),
		"it is %s wide and %s high":  message("es ist %[2]s hoch und %[1]s breit"),
		"the file is empty":          message("die Datei ist leer"),
		"%d steps":                   map[string]any{"one": "%d Schritt", "other": "%d Schritte"},
		"Euler":                      "Euler auf Deutsch",
		"100 %% of %s":               message("100 %% von %s"),
		"%s of %s":                   "darf nicht gefunden werden",
		"the server sent %s, not %s": message("der Server sandte %s statt %s"),
	}
	Use(l)
	defer Use(English)
	for _, c := range [][2]string{
		{"", ""}, {"nobody knows this", "nobody knows this"}, {"1 of 2", "1 of 2"},
		{"Euler", "Euler auf Deutsch"}, {"the file is empty", "die Datei ist leer"},
		{`"x" is not a number`, `"x" ist keine Zahl`},
		{"it is 3 wide and 4 high", "es ist 4 hoch und 3 breit"},
		{"a.bin: the file is empty", "a.bin: die Datei ist leer"},
		{"a.bin: b.bin: the file is empty", "a.bin: b.bin: die Datei ist leer"},
		{"20 steps", "20 Schritte"}, {"1 steps", "1 Schritt"}, {"many steps", "many steps"},
		{"100 % of it", "100 % von it"},
		{"the server sent 1, not 2", "der Server sandte 1 statt 2"},
	} {
		if got := Translate(c[0]); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}
