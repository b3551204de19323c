// Schedulers writes the schedulers that Imprompt has as JSON: by name, diffusers' class and
// what its from_config is given besides the model's configuration. The scripts beside this
// folder read it.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/imprompt/imprompt/model/scheduler"
)

func main() {
	type entry struct {
		Name      string                     `json:"name"`
		Class     string                     `json:"class"`
		Arguments map[string]json.RawMessage `json:"arguments"`
		Eta       bool                       `json:"eta"`
	}
	var list []entry
	for _, s := range scheduler.All() {
		list = append(list, entry{s.Name, s.Class, s.Arguments, s.Eta})
	}
	if err := json.NewEncoder(os.Stdout).Encode(list); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
