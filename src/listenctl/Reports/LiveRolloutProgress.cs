using Spectre.Console;
using Spectre.Console.Rendering;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>A line that is redrawn in place: a bar of the replaced slots, the draining workers, the elapsed time.</summary>
internal sealed class LiveRolloutProgress(TextOutput output, string service, TimeProvider clock) : IRolloutProgress
{
    /// <inheritdoc/>
    public void Run(Action<Action<ChangeDocument>> watch)
    {
        var state = new StateColumn(clock, output.HasColor);
        output.Console.Progress()
            .AutoClear(true)
            .HideCompleted(false)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn
                {
                    Width = 24,
                    CompletedStyle = output.HasColor ? Palette.Success : Palette.Plain,
                    FinishedStyle = output.HasColor ? Palette.Success : Palette.Plain,
                    RemainingStyle = output.HasColor ? Palette.Muted : Palette.Plain
                },
                state)
            .Start(context =>
            {
                var name = Markup.Escape(Printable.Of(service));
                var bar = context.AddTask(output.HasColor ? $"[bold]{name}[/]" : name, autoStart: true, maxValue: 1);
                bar.IsIndeterminate = true;
                watch(restart =>
                {
                    state.Show(restart);
                    if (restart.Rollout is { Total: > 0 } rollout)
                    {
                        bar.IsIndeterminate = false;
                        bar.MaxValue = rollout.Total;
                        bar.Value = rollout.Replaced;
                    }
                    else if (restart is { Rollout: null, State: "starting" or "degraded", Desired: > 0 })
                    {
                        bar.IsIndeterminate = false;
                        bar.MaxValue = restart.Desired;
                        bar.Value = restart.Ready;
                    }

                    context.Refresh();
                });
            });
    }

    private sealed class StateColumn(TimeProvider clock, bool hasStyle) : ProgressColumn
    {
        private readonly long began = clock.GetTimestamp();
        private volatile ChangeDocument? latest;

        public void Show(ChangeDocument restart) => latest = restart;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            var elapsed = HumanTime.Elapsed(clock.GetElapsedTime(began));
            var text = latest switch
            {
                null => "",
                { } step => ChangeText.Unnamed(step) + "  ",
            };
            return new StyledText(text).Append(elapsed, Palette.Muted).ToParagraph(hasStyle);
        }
    }
}
