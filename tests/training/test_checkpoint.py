"""Checkpoints: what is written is read again, and what is none is refused in one line."""

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from selfsharp.training.checkpoint import (  # noqa: E402
    part,
    read_checkpoint,
    restore_optimizer,
    save_average,
    save_checkpoint,
)

FACTS = {"crops": 12, "seconds": 1.5, "recipe": {"network": "unet", "pictures": ["ä"]}}


@pytest.fixture
def network() -> torch.nn.Module:
    torch.manual_seed(4)
    return torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)


@pytest.fixture
def average(network) -> dict[str, torch.Tensor]:
    return {name: value / 3 for name, value in network.state_dict().items()}


def take_step(network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    network(torch.ones(1, 3, 5, 5)).square().sum().backward()
    optimizer.step()


def assert_equal(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def test_everything_that_is_saved_is_read_again(tmp_path, network, average):
    optimizer = torch.optim.AdamW(network.parameters())
    take_step(network, optimizer)
    save_checkpoint(tmp_path / "c.safetensors", network, average, optimizer, FACTS)
    tensors, facts = read_checkpoint(tmp_path / "c.safetensors")
    assert facts == FACTS
    assert_equal(part(tensors, "weights"), network.state_dict())
    assert_equal(part(tensors, "average"), average)

    fresh = torch.optim.AdamW(network.parameters())
    restore_optimizer(fresh, tensors)
    states = (fresh.state_dict()["state"], optimizer.state_dict()["state"])
    assert states[0].keys() == states[1].keys() == {0, 1}
    for index in states[1]:
        assert_equal(states[0][index], states[1][index])


def test_a_newer_checkpoint_takes_the_place_of_the_older(tmp_path, network, average):
    optimizer = torch.optim.AdamW(network.parameters())
    for crops in (1, 2):
        save_checkpoint(tmp_path / "c.safetensors", network, average, optimizer, {"crops": crops})
    assert read_checkpoint(tmp_path / "c.safetensors")[1] == {"crops": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"]


def test_the_average_alone_is_half_precision_and_has_no_optimizer(tmp_path, average):
    save_average(tmp_path / "a.safetensors", average, FACTS)
    tensors, facts = read_checkpoint(tmp_path / "a.safetensors")
    assert facts == FACTS
    assert part(tensors, "weights") == part(tensors, "optimizer") == {}
    assert_equal(part(tensors, "average"), {name: t.half() for name, t in average.items()})


def test_a_part_is_told_from_one_whose_name_only_starts_alike():
    one, other = torch.zeros(1), torch.ones(1)
    assert part({"average/a/b": one, "averages/a": other}, "average") == {"a/b": one}


def test_a_missing_file_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"\A.+none\.safetensors does not exist.+\Z"):
        read_checkpoint(tmp_path / "none.safetensors")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"\A.+other\.safetensors is not a checkpoint.+\Z"):
        read_checkpoint(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"facts": "{"}])
def test_another_programs_tensors_are_refused_in_one_line(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(ValueError, match=r"\A.+other\.safetensors is not a checkpoint.+\Z"):
        read_checkpoint(path)


def test_a_folder_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"\A.+ is not a checkpoint.+\Z"):
        read_checkpoint(tmp_path)
