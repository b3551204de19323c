package settings

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// comfyNode is a node of ComfyUI's graph: its class and its inputs. An input is a
// value or a link to another node.
type comfyNode struct {
	class  string
	inputs map[string]any
}

// comfyLink says that an input comes from another node.
type comfyLink struct{ node string }

// isComfyUI reports whether an object is a graph in the form that ComfyUI's API takes:
// nodes by number.
func isComfyUI(object map[string]json.RawMessage) bool {
	for _, raw := range object {
		var node struct {
			Class string `json:"class_type"`
		}
		if json.Unmarshal(raw, &node) == nil && node.Class != "" {
			return true
		}
	}
	return false
}

// promptGraph reads the form that ComfyUI saves as "prompt".
func promptGraph(object map[string]json.RawMessage) map[string]comfyNode {
	graph := map[string]comfyNode{}
	for id, raw := range object {
		var node struct {
			Class  string `json:"class_type"`
			Inputs map[string]any
		}
		if json.Unmarshal(raw, &node) != nil || node.Class == "" {
			continue
		}
		for key, v := range node.Inputs {
			if link, ok := v.([]any); ok && len(link) == 2 {
				node.Inputs[key] = comfyLink{fmt.Sprint(link[0])}
			}
		}
		graph[id] = comfyNode{node.Class, node.Inputs}
	}
	return graph
}

// comfyWidgets gives names to the values that ComfyUI's page saves as a list without
// names.
var comfyWidgets = map[string][]string{
	"KSampler":               {"seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"},
	"KSamplerAdvanced":       {"", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"},
	"CLIPTextEncode":         {"text"},
	"EmptyLatentImage":       {"width", "height", "batch_size"},
	"CheckpointLoaderSimple": {"ckpt_name"},
	"LoraLoader":             {"lora_name", "strength_model", "strength_clip"},
	"LoraLoaderModelOnly":    {"lora_name", "strength_model"},
	"LoadImage":              {"image"},
}

// workflowGraph reads the form that ComfyUI saves as "workflow" and that its page loads.
func workflowGraph(object map[string]json.RawMessage) map[string]comfyNode {
	var nodes []struct {
		ID     json.Number
		Type   string
		Mode   int
		Inputs []struct {
			Name string
			Link *json.Number
		}
		Widgets json.RawMessage `json:"widgets_values"`
	}
	var links [][]any
	_ = json.Unmarshal(object["nodes"], &nodes)
	_ = json.Unmarshal(object["links"], &links)
	origin := map[string]string{}
	for _, l := range links {
		if len(l) >= 2 {
			origin[fmt.Sprint(l[0])] = fmt.Sprint(l[1])
		}
	}
	graph := map[string]comfyNode{}
	for _, n := range nodes {
		const muted, bypassed = 2, 4
		if n.Mode == muted || n.Mode == bypassed {
			continue
		}
		node := comfyNode{n.Type, map[string]any{}}
		var list []any
		if json.Unmarshal(n.Widgets, &list) == nil {
			names := comfyWidgets[n.Type]
			for i, v := range list {
				switch {
				case i < len(names):
					node.inputs[names[i]] = v
				case names == nil && i == 0:
					node.inputs["value"] = v // a node that holds a single value, such as a primitive
				}
			}
		}
		for _, in := range n.Inputs {
			if in.Link == nil {
				continue
			}
			if from, ok := origin[in.Link.String()]; ok {
				node.inputs[in.Name] = comfyLink{from}
			}
		}
		graph[n.ID.String()] = node
	}
	return graph
}

// comfy reads a graph. It visits a limited number of nodes, because a graph may have
// cycles.
type comfy struct {
	graph map[string]comfyNode
	steps int
}

// node follows a link.
func (c *comfy) node(v any) (comfyNode, bool) {
	link, ok := v.(comfyLink)
	if c.steps++; !ok || c.steps > 10000 {
		return comfyNode{}, false
	}
	n, ok := c.graph[link.node]
	return n, ok
}

// value returns an input as text. It follows a link to the node that holds the value.
func (c *comfy) value(n comfyNode, keys ...string) string {
	for _, key := range keys {
		switch v := n.inputs[key].(type) {
		case string:
			return v
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		case json.Number:
			return v.String()
		case comfyLink:
			if from, ok := c.node(v); ok {
				if text := c.value(from, key, "value", "text", "string", "int", "float", "seed", "text_0", "populated_text", "wildcard_text"); text != "" {
					return text
				}
			}
		}
	}
	return ""
}

// words follows a conditioning to the text that it was made from. Nodes in between,
// such as a ControlNet, pass it on.
func (c *comfy) words(v any, side string) string {
	n, ok := c.node(v)
	if !ok {
		return ""
	}
	if strings.HasPrefix(n.class, "CLIPTextEncode") || n.inputs["clip"] != nil {
		if text := c.value(n, "text", "text_g", "prompt", "populated_text", "wildcard_text"); text != "" {
			return text
		}
	}
	for _, key := range []string{side, "conditioning", "conditioning_1", "conditioning_to", "conditioning1", "positive"} {
		if _, link := n.inputs[key].(comfyLink); link {
			if text := c.words(n.inputs[key], side); text != "" {
				return text
			}
		}
	}
	return ""
}

// latent follows the latents to where they come from.
func (c *comfy) latent(v any) (n comfyNode, ok bool) {
	for range 20 {
		if n, ok = c.node(v); !ok || strings.HasPrefix(n.class, "Empty") {
			return n, ok
		}
		next, found := n.inputs["latent_image"], false
		for _, key := range []string{"latent_image", "samples", "latent", "pixels", "image"} {
			if _, link := n.inputs[key].(comfyLink); link {
				next, found = n.inputs[key], true
				break
			}
		}
		if !found {
			return n, true
		}
		v = next
	}
	return n, ok
}

// readComfyUI reads what the graph's sampler was given. If there are several samplers,
// it takes the first pass: the one that begins with empty latents.
func readComfyUI(graph map[string]comfyNode, s *Settings, n *notes) {
	c := &comfy{graph: graph}
	var samplers []string
	for id, node := range graph {
		if strings.HasPrefix(strings.TrimPrefix(node.class, swarm), "KSampler") && node.inputs["positive"] != nil {
			samplers = append(samplers, id)
		}
	}
	slices.SortFunc(samplers, func(a, b string) int {
		x, y := c.pass(graph[a]), c.pass(graph[b])
		if x != y {
			return x - y
		}
		return strings.Compare(a, b)
	})
	p := parser{settings: s, notes: n, version: "ComfyUI"}
	if len(samplers) == 0 {
		n.add("this ComfyUI workflow has no KSampler, so its settings cannot be read")
		return
	}
	node := graph[samplers[0]]
	s.Prompt, s.NegativePrompt = c.words(node.inputs["positive"], "positive"), c.words(node.inputs["negative"], "negative")
	p.optional(&s.NumInferenceSteps, "steps", c.value(node, "steps"))
	if cfg := c.value(node, "cfg"); cfg != "" {
		p.float("cfg", cfg, &s.GuidanceScale)
	}
	if seed := c.value(node, "seed", "noise_seed"); seed != "" {
		p.seed(seed)
	}
	c.variation(&p, node)
	if denoise := c.value(node, "denoise"); denoise != "" {
		p.float("denoise", denoise, &s.Strength)
	}
	if latent, ok := c.latent(node.inputs["latent_image"]); ok {
		if strings.HasPrefix(latent.class, "Empty") {
			p.optional(&s.Width, "width", c.value(latent, "width"))
			p.optional(&s.Height, "height", c.value(latent, "height"))
		} else if image := c.value(latent, "image"); image != "" {
			n.add("it begins from the picture %s (add it as the start picture)", PublicName(image))
		}
	}
	if s.Strength >= 1 { // from noise, as Default has it
		s.Strength = Default().Strength
	}
	if len(samplers) > 1 {
		n.add("%d more passes of sampling", len(samplers)-1)
	}
	p.words()
	c.networks(&p)
	p.takeComfySampler(c.value(node, "sampler_name"), c.value(node, "scheduler"))
}

// swarm is what the classes of SwarmUI's own nodes begin with.
const swarm = "Swarm"

// variation reads what samplers of others than ComfyUI have beside its own inputs: a second seed, and how much of its noise is
// taken. SwarmUI's mixes the two as A1111 does.
func (c *comfy) variation(p *parser, node comfyNode) {
	strength := c.value(node, "var_seed_strength", "variation_strength")
	if seed := c.value(node, "var_seed", "variation_seed"); seed == "" || strength == "" || strength == "0" ||
		!p.natural("variation seed", seed, &p.settings.VariationSeed) {
		return
	}
	p.float("variation strength", strength, &p.settings.VariationStrength)
	if !strings.HasPrefix(node.class, swarm) {
		p.notes.add("%s mixes the noise of two seeds in another way, so the picture differs a little", node.class)
	}
}

// optional sets into to the whole number, if there is one.
func (p *parser) optional(into *int, key, value string) {
	if value != "" {
		p.integer(key, value, into)
	}
}

// pass is 0 for a sampler that begins from empty latents, else 1.
func (c *comfy) pass(n comfyNode) int {
	v := n.inputs["latent_image"]
	direct, ok := c.node(v)
	if ok && strings.HasPrefix(direct.class, "Empty") {
		return 0
	}
	return 1
}

// networks notes which models the graph uses.
func (c *comfy) networks(p *parser) {
	ids := make([]string, 0, len(c.graph))
	for id := range c.graph {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	kinds := map[string]bool{}
	for _, id := range ids {
		n := c.graph[id]
		switch {
		case strings.Contains(n.class, "CheckpointLoader"):
			if name := c.value(n, "ckpt_name"); name != "" && p.model == "" {
				p.model = PublicName(name)
			}
		case strings.Contains(n.class, "LoraLoader"):
			p.lora(c.lora(n))
		case strings.Contains(n.class, "IPAdapter"):
			kinds["IP-Adapter"] = true
		case strings.Contains(n.class, "ControlNet"):
			kinds["ControlNet"] = true
		case strings.Contains(n.class, "Upscale"):
			kinds["upscaling"] = true
		case strings.HasPrefix(n.class, "FaceDetailer"):
			kinds["FaceDetailer"] = true
		}
	}
	p.noteModel()
	p.takeLoRAs()
	for _, kind := range []string{"IP-Adapter", "ControlNet", "upscaling", "FaceDetailer"} {
		if kinds[kind] {
			p.notes.add("%s", kind)
		}
	}
}

// lora reads a LoraLoader.
func (c *comfy) lora(n comfyNode) LoRA {
	l := LoRA{Weights: c.value(n, "lora_name"), Scale: 1}
	if v, err := strconv.ParseFloat(c.value(n, "strength_model"), 64); err == nil && v == v {
		l.Scale = v
	}
	if v, err := strconv.ParseFloat(c.value(n, "strength_clip"), 64); err == nil && v == v && v != l.Scale {
		l.TextEncoder = &v
	}
	return l
}
