package evaluate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const small = `{"pictures": "list", "seeds": 2, "height": 64, "width": 64,
 "adapters": {"global": {"ip_adapter": "g"}, "plus": {"ip_adapter": "p", "image_encoder": "e"}},
 "rows": [
  {"row": "words", "words": "{caption}"},
  {"row": "picture, {adapter}", "adapters": ["global", "plus"]},
  {"row": "both, {adapter}, λ {scale}", "words": "a {caption}", "model": "m", "adapters": ["plus"], "scales": [0.25, 0.5], "layers": "style"}]}`

// Ways become rows, and rows become the settings that draw a picture.
func TestRows(t *testing.T) {
	s, err := ParseSpec([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Rows()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, "; "); got != "words; picture, global; picture, plus; both, plus, λ 0.25; both, plus, λ 0.5" {
		t.Errorf("the rows are %s", got)
	}
	e := Example{"picture": "fox.png", "caption": "fox"}
	got, err := s.settings(rows[4], e, 3)
	if err != nil {
		t.Fatal(err)
	}
	a := got.IPAdapters()[0]
	if got.Model != "m" || got.Prompt != "a fox" || got.Seed != 3 || got.Height != 64 || got.NumInferenceSteps != 20 || got.GuidanceScale != 5 ||
		a.Weights != "p" || a.ImageEncoder != "e" || a.Lambda != 0.5 || a.Layers != "style" || a.Images[0].Picture != "fox.png" || a.End != 1 {
		t.Errorf("the settings are %+v", got)
	}
	if got, err := s.settings(rows[1], e, 0); err != nil || got.Prompt != "" || got.IPAdapters()[0].Lambda != 1 {
		t.Errorf("picture only: %+v, %v", got, err)
	}
	if got, err := s.settings(rows[0], e, 0); err != nil || got.Guides != nil {
		t.Errorf("words only: %+v, %v", got, err)
	}
	if _, err := s.settings(Row{Name: "x", Words: "{other}"}, e, 0); err == nil || !strings.Contains(err.Error(), "{other}") {
		t.Errorf("words that the list lacks give %v", err)
	}
	if err := s.Keep([]string{"words", "0.25"}); err != nil {
		t.Error(err)
	}
	if rows, _ := s.Rows(); len(rows) != 2 || rows[0].Name != "words" || rows[1].Name != "both, plus, λ 0.25" {
		t.Errorf("what is kept is %v", rows)
	}
	if err := s.Keep([]string{"none"}); err == nil {
		t.Error("a name that fits no row is no error")
	}
}

// One error names every mistake.
func TestSpecErrors(t *testing.T) {
	_, err := ParseSpec([]byte(`{"seeds": 0, "rows": [{"row": "a"}, {"row": "a"}, {"row": "b", "scales": [1]}, {"row": "c", "adapters": ["none"]}, {}]}`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`two rows are called "a"`, `"b" has scales`, `no adapter "none"`, "row 5 has no name", "0 seeds"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %s: %v", want, err)
		}
	}
	if _, err := ParseSpec([]byte(`{"row": []}`)); err == nil || !strings.Contains(err.Error(), `"row"`) {
		t.Errorf("an unknown field gives %v", err)
	}
}

func TestReadExamples(t *testing.T) {
	list := []byte("{\"picture\": \"a.png\", \"caption\": \"a\"}\n\n{\"picture\": \"b.png\", \"caption\": \"b\", \"other\": \"c\"}\n")
	if all, err := ReadExamples(list, 0); err != nil || len(all) != 2 || all[1]["other"] != "c" {
		t.Errorf("%v, %v", all, err)
	}
	if one, err := ReadExamples(list, 1); err != nil || len(one) != 1 {
		t.Errorf("%v, %v", one, err)
	}
	for _, wrong := range []string{"", "{}", "{\"picture\": \"a.png\"}", "x"} {
		if _, err := ReadExamples([]byte(wrong), 0); err == nil {
			t.Errorf("%q is no error", wrong)
		}
	}
	if _, err := ReadExamples(list, 3); err == nil {
		t.Error("more pictures than there are is no error")
	}
}

// The tables that are committed can be read, and their pictures are there.
func TestCommitted(t *testing.T) {
	tables, err := filepath.Glob("*.json")
	if err != nil || len(tables) == 0 {
		t.Fatal("no tables", err)
	}
	root := filepath.Join("..", "..")
	for _, name := range tables {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseSpec(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list, err := os.ReadFile(filepath.Join(root, s.Pictures))
		if err != nil {
			t.Fatal(err)
		}
		all, err := ReadExamples(list, s.Count)
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := s.Rows()
		for _, e := range all {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(s.Pictures), e["picture"])); err != nil {
				t.Error(err)
			}
			for _, r := range rows {
				if _, err := s.settings(r, e, 0); err != nil {
					t.Errorf("%s, row %s: %v", name, r.Name, err)
				}
			}
		}
	}
}
