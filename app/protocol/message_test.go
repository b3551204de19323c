package protocol

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// Every message comes back as it was, with its id.
func TestRoundTrip(t *testing.T) {
	s := settings.Default()
	s.Prompt, s.Seed = "a fox – \"quoted\"", 1<<63
	untested := maps.Clone(known)
	words := 0.27
	for _, body := range []Body{
		Cancel{Of: 3}, Stopped{}, Failed{Message: "no", Reason: Permission, Record: "sd15"}, Started{}, Ended{Message: "out of memory"},
		Load{Model: "sd15"}, Generate{Settings: s}, Skip{Of: 4}, Embed{Settings: s, Guide: 1}, Embeds{}, Embedded{}, Judge{Settings: []settings.Settings{s}}, Judged{Scores: []Score{{CLIPI: []float64{0.84}, CLIPT: &words}, {}}}, Tokens{Prompt: "a", Negative: "b"}, MakeMap{Preprocessor: "hed", Weights: "hed", Model: "sd15", Width: 64, Height: 96, Background: "#ff0000"}, MapMade{Problem: "no"}, Forget{}, Gauge{}, Measure{},
		Ready{Adapter: "llvmpipe", F16: true, MaxBuffer: 4 << 30}, Loaded{Memory: 1 << 40, Kernels: Kernels{Chosen: "auto,conv=early", Trials: []Trial{{Key: "conv", Variant: "early", Milliseconds: 2}, {Key: "conv", Variant: "short", Refused: "it is wrong"}}}}, Counted{Prompt: Count{3, 77, ""}, Negative: Count{80, 77, "zebra"}},
		Progress{Stage: "denoise", Step: 3, Steps: 20, SecondsPerStep: 0.25}, Preview{}, Picture{Index: 1, Settings: s, Cost: Cost{Seconds: 2, Stages: map[string]float64{"load": 1}}},
		Drawn{Memory: 1, Peak: 2, Pipelines: 3, Kernels: Kernels{Chosen: "auto"}}, Gauged{forecast.Card{Paces: map[string]float64{"memory": 1e-11}}}, Forgotten{}, Warning{Message: "slow"}, Lost{Message: "reset"},
		CheckProgress{Text: "Test 1 of 2", Fraction: 0.5}, CheckOver{Summary: "fine", Different: []string{"a", "b"}, Problem: "c", Report: "{}"},
		List{}, Plan{Link: "owner/model", Base: "https://mirror"}, Download{Record: "sd15"}, Verify{Record: "sd15"}, Delete{Record: "sd15"}, Tidy{}, Import{}, Keep{},
		Stored{Library: store.Library{Items: []store.Item{{Record: store.Record{ID: "sd15"}, Done: 1}}, Used: 5}, Catalogue: loader.Catalogue{Base: "https://hub"}},
		Planned{Records: []store.Record{{ID: "sd15"}}}, Moved{Record: "sd15", Progress: store.Progress{Done: 1, Total: 2}, Speed: 3, Left: 4}, Finished{Record: "sd15"},
	} {
		delete(untested, body.Type())
		t.Run(body.Type(), func(t *testing.T) {
			text, err := Encode(Message{ID: 7, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			m, err := Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if m.ID != 7 || !reflect.DeepEqual(m.Body, body) {
				t.Errorf("%+v came back as %d %+v", body, m.ID, m.Body)
			}
		})
	}
	for name := range untested {
		t.Errorf("add the message %q to this test", name)
	}
}

// web/js/worker.js writes this message by hand.
func TestEndedFromJavaScript(t *testing.T) {
	m, err := Decode(`{"id":0,"type":"ended","body":{"message":"the program stopped"}}`)
	if err != nil || m.Body != (Ended{Message: "the program stopped"}) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestDecodeErrors(t *testing.T) {
	for text, want := range map[string]string{
		`no JSON`:                       "is not JSON",
		`{"id":1,"type":"unheard of"}`:  `there is no message "unheard of"`,
		`{"type":"cancel","body":"no"}`: `"cancel" cannot be read`,
	} {
		if _, err := Decode(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Costs of pictures that earlier versions stored in the gallery are still read.
func TestCostFields(t *testing.T) {
	var c Cost
	if err := json.Unmarshal([]byte(`{"seconds":1.5,"seconds_per_step":0.5,"steps":3,"peak":100,"stages":{"load":1}}`), &c); err != nil {
		t.Fatal(err)
	}
	if want := (Cost{1.5, 0.5, 3, 100, map[string]float64{"load": 1}}); !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
}
