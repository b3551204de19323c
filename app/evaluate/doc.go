// Package evaluate measures what is drawn, as section 4.2.1 of the IP-Adapter paper does:
// CLIP-I and CLIP-T over a list of image prompts and captions. It makes a table, with a row
// for each way of asking, and a sheet of the pictures.
package evaluate
