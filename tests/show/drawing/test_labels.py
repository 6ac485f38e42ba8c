"""The words of a node."""

from handgrad import ComputationalGraph, Node, Sigmoid
from handgrad.show import draw
from handgrad.show.drawing.labels import label_of


def test_names_of_gates_are_words_and_a_named_gate_shows_its_name():
    names = ["ReLU", "LeakyReLU", "SiLU", "GELU", "SigmoidCrossEntropy", "NCE", "MatMul"]
    gates = [type(name, (Sigmoid,), {})() for name in names]
    labels = [label_of(gate(Node("x"))) for gate in gates]
    assert labels == ["ReLU", "leaky ReLU", "SiLU", "GELU", "sigmoid cross entropy", "NCE", "mat mul"]
    students = {
        "ReLu": "ReLu",
        "tanH": "tanH",
        "L2Norm": "l2 norm",
        "RMSNormLayer": "RMS norm layer",
        "Conv2D": "Conv2D",
    }
    students |= {"CubeBySteps": "cube by steps", "MySigmoid": "my sigmoid", "softplus": "softplus"}
    for name, words in students.items():
        assert label_of(type(name, (Sigmoid,), {})()(Node("x"))) == words
    svg = draw(ComputationalGraph(Sigmoid()(Node("x"), name="layer/hidden"))).svg()
    assert ">hidden</text>" in svg and ">σ</text>" in svg
