package wire

import (
	"errors"

	"github.com/jackc/pgx/v5/pgtype"
)

// Point is a place: [longitude, latitude].
type Point [2]float64

// Line leads through its points.
type Line []Point

// Ring is a closed line.
type Ring []Point

// Polygon is an outer ring and the holes in it.
type Polygon []Ring

// The readers of places.
var (
	Place      = convert(listOf(Float(), 2, 2), func(pair []float64) Point { return Point(pair) })
	Path       = convert(listOf(Place, 2, 10_000), func(points []Point) Line { return points })
	Area       = convert(listOf(ring, 1, 100), func(rings []Ring) Polygon { return rings })
	ring       = convert(listOf(Place, 4, 10_000), func(points []Point) Ring { return points })
	errNoPlace = errors.New("a place is null")
)

func (p *Point) ScanPoint(v pgtype.Point) error {
	if !v.Valid {
		return errNoPlace
	}
	*p = Point{v.P.X, v.P.Y}
	return nil
}

func (p Point) PointValue() (pgtype.Point, error) {
	return pgtype.Point{P: pgtype.Vec2{X: p[0], Y: p[1]}, Valid: true}, nil
}

func (l *Line) ScanPath(v pgtype.Path) error {
	if !v.Valid {
		return errNoPlace
	}
	*l = points(v.P)
	return nil
}

func (l Line) PathValue() (pgtype.Path, error) {
	return pgtype.Path{P: vectors(l), Valid: true}, nil
}

func (r *Ring) ScanPolygon(v pgtype.Polygon) error {
	if !v.Valid {
		return errNoPlace
	}
	*r = points(v.P)
	return nil
}

func (r Ring) PolygonValue() (pgtype.Polygon, error) {
	return pgtype.Polygon{P: vectors(r), Valid: true}, nil
}

func points(vectors []pgtype.Vec2) []Point {
	found := make([]Point, len(vectors))
	for place, each := range vectors {
		found[place] = Point{each.X, each.Y}
	}
	return found
}

func vectors(points []Point) []pgtype.Vec2 {
	found := make([]pgtype.Vec2, len(points))
	for place, each := range points {
		found[place] = pgtype.Vec2{X: each[0], Y: each[1]}
	}
	return found
}
