package state

import (
	"testing"

	"github.com/imprompt/imprompt/app/texts"
)

func TestLanguage(t *testing.T) {
	for text, want := range map[string]texts.Text{
		"": "", "a fox on a blue background": "", "fox": "", "masterpiece, best quality, 1girl, solo": "",
		"a portrait by Vincent van Gogh, in the style of die Brücke": "",
		"café au lait on a table":                                    "",
		"el greco style painting of a fox":                           "",
		"a sign with the word 東 on it":                               "",
		"a sign with the word 東京 on it":                              "", "雪中的狐狸, masterpiece, best quality": "Chinese",
		"ein Fuchs auf einem blauen Hintergrund": "German",
		"Ein kleiner Fuchs mit Hut":              "German",
		"un renard sur un fond bleu":             "French",
		"una zorra en la nieve con un sombrero":  "Spanish",
		"una volpe nella neve con un cappello":   "Italian",
		"uma raposa na neve com um chapéu":       "Portuguese",
		"een vos op een blauwe achtergrond":      "Dutch",
		"lis w śniegu na tle nieba":              "Polish",
		"kar içinde bir tilki ve bir şapka":      "Turkish",
		"雪の中の狐":                                  "Japanese",
		"雪中的狐狸":                                  "Chinese",
		"눈 속의 여우":                                "Korean",
		"лиса в снегу":                           "Russian or a language near it",
		"ثعلب في الثلج":                          "Arabic or Persian",
		"a fox in the snow, with a hat and a scarf, un chapeau et une écharpe, x": "",
	} {
		if got := Language(text); got != want {
			t.Errorf("%q is taken for %q, not %q", text, got, want)
		}
	}
}
