// Package ui is the page: go-app components that draw the states of package state.
//
// The component page is the root. It owns the states, wires them to each other, to the workers and to the browser, and
// has a component for each panel. A panel draws states and, in its handlers, calls their methods; what needs the
// browser or another state is a function that page gave it. One panel is one file.
//
// # How go-app draws components
//
// When a component is drawn, a child of the same type at the same place stays, and only its exported fields are copied
// from the new one. The child is drawn again only if one of them has changed, in the sense of reflect.DeepEqual.
// Unexported fields keep what the first instance had. An event within a component marks it and all its ancestors to be
// drawn. Hence the rules for a panel:
//
//   - Its exported fields are plain values. A pointer would count as unchanged when what it points to changes. At
//     least it has Drawn, which counts the drawings of the page, so that the panel is drawn with it.
//   - Its unexported fields are states and functions that stay the same as long as the page lives. What comes and
//     goes, as image prompts do, is looked up in a state by its index or its id.
//
// # What else go-app asks for
//
// Render is called before OnMount, so newPage makes all the states. Handlers are told apart by their place in the code,
// not by what they hold: a handler that holds something that may change at its place has a scope (see key and named).
// The value of a control is set only when the value that was drawn last differs, so values go through controls. And
// children are matched by their place: what comes and goes in the middle of others is hidden instead.
//
// # Adding a panel
//
// Write its state in package state, with a test, and its component here; give the state to the component in
// page.Render.
package ui
