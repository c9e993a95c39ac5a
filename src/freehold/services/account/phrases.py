"""Security phrases: shown where somebody signs in and in the mail, so that the two can be compared."""

from __future__ import annotations

import secrets

_ADJECTIVES = """
    amber ancient arctic autumn bold brave bright calm clever coastal copper cosmic crimson crystal
    curious daring dawn distant eager early electric emerald fearless fluffy friendly gentle giant
    golden graceful happy hidden honest humble icy ivory jolly kind little lively lucky lunar marble
    mellow merry mighty modern mossy noble northern patient peaceful playful polite proud purple quick
    quiet radiant rapid rosy royal rustic sandy scarlet secret serene shiny silent silver simple sleepy
    smooth snowy solar southern sparkling steady stormy sunny swift tender thankful tidy tiny tranquil
    velvet violet vivid wandering warm wild windy winter wise witty wooden young zesty
"""
_NOUNS = """
    acorn anchor antelope apple badger bamboo beacon bear beaver bicycle bison boat bridge butterfly
    button cactus candle canyon castle cello cherry cloud clover comet compass coral cottage crane creek
    cricket dolphin dragonfly drum eagle ember falcon feather fern firefly forest fountain fox garden
    giraffe glacier harbor hawk hedgehog heron hill island jaguar kettle kite koala ladder lagoon
    lantern lemon lighthouse lily lion lizard lotus mango maple meadow melon moon mountain nest oak
    ocean orchard otter owl panda parrot peach pebble pelican penguin piano pine planet pony prairie
    rabbit raven reef river robin rocket sailor sparrow spruce squirrel star stone sunflower swan teapot
    tiger tulip turtle valley violin walnut whale willow wolf zebra
"""


def new_phrase() -> str:
    """Make a phrase of two words, such as `Quiet harbor`."""
    adjective, noun = (secrets.choice(words.split()) for words in (_ADJECTIVES, _NOUNS))
    return f"{adjective} {noun}".capitalize()
