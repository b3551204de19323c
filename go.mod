module github.com/imprompt/imprompt

go 1.26.0

toolchain go1.26.10

require (
	github.com/cogentcore/webgpu v0.23.0
	github.com/hack-pad/go-indexeddb v0.3.2
	github.com/maxence-charriere/go-app/v10 v10.1.11
	golang.org/x/image v0.47.0
	golang.org/x/text v0.43.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/hack-pad/safejs v0.1.0 // indirect
)
