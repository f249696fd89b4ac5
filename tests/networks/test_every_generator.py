"""What every generator promises, whoever adds it; and the detector beside them."""

import pytest

torch = pytest.importorskip("torch")

from selfsharp.config import Recipe  # noqa: E402
from selfsharp.networks.blocks import CHANNELS  # noqa: E402
from selfsharp.networks.detector import Detector  # noqa: E402
from selfsharp.networks.generators import GENERATORS  # noqa: E402

every_generator = pytest.mark.parametrize("name", GENERATORS.names())


def make_generator(name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    return GENERATORS.load(name).Generator()


def make_tile(batch: int, height: int, width: int) -> dict[str, torch.Tensor]:
    """A tile in 0..1, its blur (gate 1, radius up to 12 px), proposals off it, and references."""
    source = torch.Generator().manual_seed(2)
    image = torch.rand(batch, 3, height, width, generator=source)
    radius = 12 * torch.rand(batch, 1, height, width, generator=source)
    blur = torch.cat([torch.ones_like(radius), radius], dim=1)
    offers = 0.1 * torch.randn(batch, 6, height, width, generator=source)
    proposals = (image.repeat(1, 2, 1, 1) + offers).clamp(0, 1)
    detail = 0.1 * torch.randn(batch, 3, height, width, generator=source)
    trust = torch.rand(batch, 2, height, width, generator=source)
    references = torch.cat([detail, trust], dim=1)
    return {"image": image, "blur": blur, "proposals": proposals, "references": references}


def run(network: torch.nn.Module, tile: dict[str, torch.Tensor]) -> torch.Tensor:
    """What a network makes of a tile, of which it is given what it asks for."""
    return network(*(tile[name] for name in network.inputs))


def count_parameters(network: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


@every_generator
@pytest.mark.parametrize("batch", [1, 2])
def test_any_multiple_of_the_size_rule_gives_a_residual_of_the_tiles_size(name, batch):
    generator = make_generator(name)
    for rows, columns in ((1, 1), (3, 2)):
        tile = make_tile(batch, rows * generator.multiple, columns * generator.multiple)
        with torch.inference_mode():
            assert run(generator, tile).shape == tile["image"].shape


@every_generator
def test_tiles_of_a_batch_do_not_know_each_other(name):
    generator = make_generator(name).eval()
    tile = make_tile(2, 4 * generator.multiple, 4 * generator.multiple)
    with torch.inference_mode():
        together = run(generator, tile)
        each = [{name: plane[i : i + 1] for name, plane in tile.items()} for i in (0, 1)]
        alone = torch.cat([run(generator, one) for one in each])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@every_generator
def test_untrained_it_leaves_the_tile_about_as_it_is(name):
    generator = make_generator(name)
    tile = make_tile(1, 6 * generator.multiple, 6 * generator.multiple)
    with torch.inference_mode():
        assert run(generator, tile).abs().max() < 0.2


@every_generator
def test_gradients_reach_every_parameter_within_two_steps(name):
    """Two, because what lies behind a gain that starts at 0 is reached by the second alone."""
    generator = make_generator(name)
    tile = make_tile(1, 4 * generator.multiple, 4 * generator.multiple)
    unreached = {parameter for parameter, _ in generator.named_parameters()}
    for _ in range(2):
        generator.zero_grad()
        (run(generator, tile) - tile["image"]).square().mean().backward()
        with torch.no_grad():
            for parameter, weights in generator.named_parameters():
                if weights.grad is not None and weights.grad.any():
                    unreached.discard(parameter)
                    weights -= 0.01 * weights.grad
    assert unreached == set()


@every_generator
def test_far_away_pixels_count_as_it_declares(name):
    generator = make_generator(name).eval()
    tile = make_tile(1, 16, 1024)
    changed = dict(tile, image=tile["image"].clone())
    changed["image"][..., :16] = 0
    with torch.inference_mode():
        difference = (run(generator, tile) - run(generator, changed)).abs().amax((0, 1, 2))
    assert difference[:16].max() > 1e-3
    assert (difference[512:].max() > 1e-6) == generator.whole_tile


@pytest.mark.parametrize("name", ["mending", "self_reference", "srgn", "unet"])
def test_residuals_at_coarser_scales_are_there_when_asked_for(name):
    torch.manual_seed(1)
    generator = GENERATORS.load(name).Generator(scales=3).eval()
    tile = make_tile(1, 4 * generator.multiple, 4 * generator.multiple)
    side = 4 * generator.multiple
    found = generator.every_scale(*(tile[asked] for asked in generator.inputs))
    assert [plane.shape for plane in found] == [(1, 3, side // k, side // k) for k in (1, 2, 4)]
    assert torch.equal(found[0], run(generator, tile))
    sum(plane.square().sum() for plane in found).backward()
    heads = [w for n, w in generator.named_parameters() if n.startswith(("heads", "coarse"))]
    assert len(heads) >= 4
    assert all(weights.grad.any() for weights in heads)
    with pytest.raises(ValueError, match=r"\Ascales 9 is out of range.+\Z"):
        GENERATORS.load(name).Generator(scales=9)


@every_generator
def test_it_asks_for_what_there_is_and_uses_all_of_it(name):
    generator = make_generator(name)
    assert set(generator.inputs) <= set(CHANNELS)
    tile = make_tile(1, 2 * generator.multiple, 2 * generator.multiple)
    for plane in tile.values():
        plane.requires_grad_()
    run(generator, tile).square().sum().backward()
    assert all(tile[asked].grad.any() for asked in generator.inputs)


def test_without_proposals_the_tile_itself_is_proposed_and_nothing_follows_from_that():
    generator = make_generator("mending")
    tile = make_tile(1, 32, 32)
    tile["proposals"] = tile["image"].repeat(1, 2, 1, 1)
    with torch.no_grad():
        generator.head.weight[:12] = 0  # What is added beside the proposals.
        assert not run(generator, tile).any()


@pytest.mark.parametrize(("less", "more"), [("unet", "mending"), ("mending", "self_reference")])
def test_what_a_generator_has_learnt_fits_into_one_that_is_told_more(less, more):
    learnt, grown = make_generator(less), make_generator(more)
    torch.manual_seed(5)
    for weights in learnt.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    grown.load_state_dict(grown.begun_from(learnt.state_dict()))
    tile = make_tile(1, 32, 48)
    with torch.inference_mode():
        wanted = run(learnt, tile)
        assert (run(grown, tile) - wanted).abs().max() < 1e-4 * wanted.abs().max()
    again = grown.begun_from(grown.state_dict())
    assert all(torch.equal(again[name], own) for name, own in grown.state_dict().items())


def test_what_a_generator_has_learnt_without_proposals_fits_into_one_that_is_told_of_none():
    learnt, alone = make_generator("mending"), make_generator("unet")
    torch.manual_seed(5)
    for weights in learnt.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    alone.load_state_dict(alone.begun_from(learnt.state_dict()))
    tile = make_tile(1, 32, 48)
    tile["proposals"] = tile["image"].repeat(1, 2, 1, 1)
    with torch.inference_mode():
        wanted = run(learnt, tile)
        assert (run(alone, tile) - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_what_a_generator_of_another_shape_has_learnt_does_not_fit():
    narrow = GENERATORS.load("unet").Generator(widths=(8, 8), down=(1, 1), up=(1,))
    wide = GENERATORS.load("mending").Generator(widths=(16, 16), down=(1, 1), up=(1,))
    with pytest.raises(RuntimeError, match="size mismatch"):
        wide.load_state_dict(wide.begun_from(narrow.state_dict()))


def test_without_references_nothing_follows_from_them():
    generator = make_generator("self_reference")
    tile = make_tile(1, 32, 32)
    tile["proposals"] = tile["image"].repeat(1, 2, 1, 1)
    tile["references"] = torch.zeros_like(tile["references"])
    with torch.no_grad():
        generator.head.weight[:12] = 0  # What is added beside proposals and references.
        assert not run(generator, tile).any()


def test_the_default_generator_has_2_5_to_5_million_parameters():
    assert 2.5e6 <= count_parameters(make_generator(Recipe().network)) <= 5e6


def test_the_default_generators_result_depends_on_the_surroundings_alone():
    assert not make_generator(Recipe().network).whole_tile


def test_settings_that_do_not_fit_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"\A.+ do not fit.+\Z"):
        GENERATORS.load("unet").Generator(widths=(8, 8), down=(1, 1), up=(1, 1))


def test_the_detector_is_small():
    assert count_parameters(Detector()) <= 0.3e6


def test_what_the_context_adds_to_the_detector_is_small():
    assert count_parameters(Detector(context=(56, 72, 88))) <= 1.1e6


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(("context", "answers"), [((), 2), ((16, 24), 3), ((8, 8, 8), 3)])
def test_the_detector_answers_at_a_quarter_of_the_size(batch, context, answers):
    detector = Detector(context=context)
    for rows, columns in ((1, 1), (3, 2)):
        height, width = rows * detector.multiple, columns * detector.multiple
        with torch.inference_mode():
            found = run(detector, make_tile(batch, height, width))
        assert found.shape == (batch, answers, height // 4, width // 4)


def test_context_leaves_what_the_detector_says_of_the_place_alone():
    alone, both = Detector(), Detector(context=(16, 24))
    both.load_state_dict(both.begun_from(alone.state_dict()))
    tile = make_tile(1, 64, 96)
    with torch.inference_mode():
        found, wanted = run(both, tile), run(alone, tile)
    assert torch.equal(found[:, :2], wanted)
    # It begins close to what it adds to.
    assert (found[:, 2] - wanted[:, 0]).abs().max() < 0.5


def test_context_looks_further_than_the_place():
    detector = Detector(context=(16, 16, 16)).eval()
    image = torch.rand(1, 3, 512, 512, requires_grad=True)
    found = detector(image)
    reach = []
    for answer in (0, 2):
        (slope,) = torch.autograd.grad(found[0, answer, 64, 64], image, retain_graph=True)
        reach.append(int((slope[0].abs().sum((0, 1)) > 0).sum()))
    assert reach[1] > reach[0] + 100


@pytest.mark.parametrize("context", [(), (16, 24)])
def test_gradients_reach_every_parameter_of_the_detector(context):
    detector = Detector(context=context)
    run(detector, make_tile(1, 64, 64)).square().mean().backward()
    assert all(weights.grad is not None and weights.grad.any() for weights in detector.parameters())
