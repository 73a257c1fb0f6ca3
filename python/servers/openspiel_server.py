# SPDX-License-Identifier: MIT
"""Games of OpenSpiel: openspiel_server.py GAME [player=0] [opponent=random|first|last] [illegal=lose|error] [NAME=VALUE]

The agent is one player, the others draw a legal move at random, or take the first or last one. Chance is drawn. What is
seen is the game's own text of the observation, on one line. An action that is not legal loses the game (the least
utility), or with illegal=error is an error. Other names are the game's parameters.
"""
import random
import sys

from icpi_environment import Environment, Refusal, arguments, serve_made, text

try:
    import pyspiel
except ImportError as missing:
    sys.exit(f"{missing}: install open_spiel for {sys.executable}, or name another interpreter in ICPI_PYTHON")

OPPONENTS = {"random": lambda stream, legal: stream.choice(legal), "first": lambda _, legal: legal[0],
             "last": lambda _, legal: legal[-1]}
OWN = ("player", "opponent", "illegal", "discount")


class Game(Environment):
    """A game of turns with perfect or imperfect information."""

    fields = [text("seen")]

    def __init__(self, name, *words):
        options = arguments(words, None)
        parameters = {key: value for key, value in options.items() if key not in OWN}
        try:
            self.game = pyspiel.load_game(name, parameters)
        except pyspiel.SpielError as error:
            raise Refusal(f"pyspiel.load_game: {error}") from error
        if self.game.get_type().dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
            raise Refusal(f"{name}: the players do not take turns")
        self.player = options.get("player", 0)
        if self.player not in range(self.game.num_players()):
            raise Refusal(f"player={self.player}: allowed: 0 to {self.game.num_players() - 1}")
        if options.get("opponent", "random") not in OPPONENTS:
            raise Refusal(f"opponent={options['opponent']}: allowed: {', '.join(OPPONENTS)}")
        if options.get("illegal", "lose") not in ("lose", "error"):
            raise Refusal(f"illegal={options['illegal']}: allowed: lose, error")
        self.opponent = OPPONENTS[options.get("opponent", "random")]
        self.loses = options.get("illegal", "lose") == "lose"
        self.discount = options.get("discount")
        self.actions = [f"move_{number}" for number in range(self.game.num_distinct_actions())]
        self.name = " ".join([name, *sorted(words)])
        self.gained = 0.0
        self.stream = random.Random(0)
        self.state = self.game.new_initial_state()

    def reset(self, seed):
        self.stream = random.Random(seed)
        self.state = self.game.new_initial_state()
        self.gained = 0.0
        self.let_others_move()
        return self.seen()

    def let_others_move(self):
        state = self.state
        while not state.is_terminal() and state.current_player() != self.player:
            if state.is_chance_node():
                moves, chances = zip(*state.chance_outcomes())
                state.apply_action(self.stream.choices(moves, chances)[0])
            else:
                state.apply_action(self.opponent(self.stream, state.legal_actions()))

    def seen(self):
        kind = self.game.get_type()
        if kind.provides_observation_string:
            return [self.state.observation_string(self.player)]
        return [self.state.information_state_string(self.player)]

    def step(self, action):
        move = self.actions.index(action)
        if move not in self.state.legal_actions(self.player):
            if not self.loses:
                raise ValueError(f"{action} is not legal")
            return self.seen(), self.game.min_utility() - self.gained, True, False
        self.state.apply_action(move)
        self.let_others_move()
        before, self.gained = self.gained, self.state.returns()[self.player]
        return self.seen(), self.gained - before, self.state.is_terminal(), False

    def legal_actions(self, observation=None):
        if observation is not None:
            return []  # a state cannot be had from what is seen of it
        if self.state.is_terminal():
            return []
        return [self.actions[move] for move in self.state.legal_actions(self.player)]


if __name__ == "__main__":
    serve_made(Game, sys.argv[1:])
