package state

import (
	"strings"
	"unicode"

	"github.com/imprompt/imprompt/app/texts"
)

// Language guesses the language of words that are not English, by its name in English; "" is English, or too little
// to tell. The text encoder was trained on English captions, so other words have little effect. A script tells of
// itself. Languages in Latin letters are told apart by their little words, of which there must be two, and more than
// English ones.
func Language(text string) texts.Text {
	text = text[:min(len(text), enoughToTell)]
	letters := map[texts.Text]int{}
	latinLetters := 0
	for _, r := range text {
		if unicode.Is(unicode.Latin, r) {
			latinLetters++
			continue
		}
		for _, s := range scripts {
			if unicode.Is(s.table, r) {
				letters[s.language]++
			}
		}
	}
	for _, s := range scripts { // in their order, so that kana tell Japanese from Chinese
		if n := letters[s.language]; n >= 2 && 6*n >= latinLetters { // not only a name within English words
			return s.language
		}
	}
	count := map[texts.Text]int{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		for language, little := range littleWords {
			if strings.Contains(little, " "+word+" ") {
				count[language]++
			}
		}
	}
	foreign, most := texts.Text(""), 0
	for _, language := range latin {
		if n := count[language]; n > most {
			foreign, most = language, n
		}
	}
	if most < 2 || most <= count[english] {
		return ""
	}
	return foreign
}

// enoughToTell is how many bytes of a text are looked at.
const enoughToTell = 1000

// scripts are the writings that belong to one language, or nearly so.
var scripts = []struct {
	table    *unicode.RangeTable
	language texts.Text
}{
	{unicode.Hiragana, "Japanese"}, {unicode.Katakana, "Japanese"}, {unicode.Hangul, "Korean"}, {unicode.Han, "Chinese"},
	{unicode.Cyrillic, "Russian or a language near it"}, {unicode.Greek, "Greek"}, {unicode.Arabic, "Arabic or Persian"}, {unicode.Hebrew, "Hebrew"},
	{unicode.Devanagari, "Hindi"}, {unicode.Thai, "Thai"},
}

const english texts.Text = "English"

// latin are the languages in Latin letters. Of two that fit equally well, the first is meant.
var latin = []texts.Text{"German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Polish", "Turkish"}

// littleWords are the commonest words of a language, but not those that are common in English prompts as well, such as
// the German "in".
var littleWords = map[texts.Text]string{
	english:      " a an the of in on at with and or by for from to is as under over behind her his their its no not very style photo background ",
	"German":     " der die das den dem des ein eine einen einem einer eines und mit auf im am vom zum zur ist nicht ohne über unter vor hinter bei aus für von wie sehr schöne kleiner kleine großer große ",
	"French":     " le la les un une des du de et avec sur dans au aux est sans pour par sous devant derrière très qui une petit petite ",
	"Spanish":    " el la los las un una unos unas y con en del de al sobre sin por para bajo muy que es pequeño pequeña ",
	"Italian":    " il lo la gli un una uno e con su sul sulla nel nella del della di che è senza per sotto molto piccolo piccola ",
	"Portuguese": " o os as um uma e com em no na nos nas do da dos das de sobre sem por para sob muito que é pequeno pequena ",
	"Dutch":      " de het een en met op van voor zonder onder achter bij naar zijn niet zeer kleine grote ",
	"Polish":     " i z ze w we na do nad pod przed jest nie bez dla przy bardzo się mały mała duży ",
	"Turkish":    " bir ve ile için üzerinde altında çok içinde olan küçük büyük ",
}
