//go:build js && wasm

package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// strokes are the icons' lines, on a grid of 24.
var strokes = map[string]string{
	"info":     "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 11v5M12 7.75h.01",
	"close":    "M6 6l12 12M18 6L6 18",
	"plus":     "M12 5v14M5 12h14",
	"minus":    "M5 12h14",
	"fit":      "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M9 9h6v6H9z",
	"actual":   "M6 8l2-2v12M16 8l2-2v12M12 10h.01M12 15h.01",
	"pixels":   "M4 4h16v16H4zM12 4v16M4 12h16M4 4h8v8H4z",
	"compare":  "M4 5h16v14H4zM12 3v18M15 9l2.5 3-2.5 3M9 9l-2.5 3L9 15",
	"full":     "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
	"download": "M12 4v11m0 0l-4.5-4.5M12 15l4.5-4.5M5 20h14",
	"copy":     "M9 9h11v11H9zM5 15H4V4h11v1",
	"share":    "M12 15V4m0 0L8 8m4-4l4 4M5 12v8h14v-8",
	"die":      "M5 5h14v14H5zM9 9h.01M15 15h.01M15 9h.01M9 15h.01M12 12h.01",
	"locked":   "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
	"open":     "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.7-1.4",
	"star":     "M12 4l2.5 5.2 5.7.8-4.1 4 1 5.6-5.1-2.7-5.1 2.7 1-5.6-4.1-4 5.7-.8z",
	"check":    "M5 12.5l4.5 4.5L19 7.5",
	"up":       "M12 19V5m0 0l-6 6m6-6l6 6",
	"down":     "M12 5v14m0 0l-6-6m6 6l6-6",
	"language": "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.5 12h17M12 3.5c5 5 5 12 0 17c-5-5-5-12 0-17z",
	"system":   "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 4v16M14.5 4.6v14.8M17 6.5v11",
	"light":    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M19.1 4.9l-1.4 1.4M6.3 17.7l-1.4 1.4",
	"dark":     "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z",
}

// icon is a drawing beside words, or in place of them where the button has a label.
func icon(name string) app.UI { return app.Raw(drawing(name)) }

func drawing(name string) string {
	return `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="` + strokes[name] + `"/></svg>`
}
