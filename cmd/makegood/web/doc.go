// Package web is what makegood serve answers: at the moment the bridge between
// Rokt's placements and a shop's cart while a page is open.
package web
