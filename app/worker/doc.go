// Package worker is the program that runs in the page's two workers, so that the page's own thread never waits. The
// engine loads models and draws; the library downloads, verifies and deletes models, so that a download takes nothing
// from a drawing, and goes on when the engine is busy or its GPU is lost.
//
// Both speak package protocol with the page.
package worker
