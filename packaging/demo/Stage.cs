using Spectre.Console;

namespace Supervisor.Demo;

/// <summary>What the demo shows: on a terminal with a line at the bottom that moves, elsewhere lines that stay.</summary>
internal sealed class Stage
{
    private readonly IAnsiConsole _console;

    public Stage(IAnsiConsole console)
    {
        // Lines that go to a file or a pipe are as long as they are.
        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = 1000;
        }

        _console = console;
    }

    /// <summary>Begins a part of the demo.</summary>
    public void Part(string title) => _console.MarkupLineInterpolated($"\n[bold]{title}[/]");

    /// <summary>Writes a line that stays.</summary>
    public void Line(string text) => _console.MarkupLineInterpolated($"  {text}");

    /// <summary>Writes the line of somebody else's program.</summary>
    public void Quote(string text) => _console.MarkupLineInterpolated($"  [grey]|[/] {text}");

    /// <summary>Writes a line about something that went as it should.</summary>
    public void Good(string text) => _console.MarkupLineInterpolated($"  [green]{text}[/]");

    /// <summary>Writes a line about something that did not.</summary>
    public void Bad(string text) => _console.MarkupLineInterpolated($"  [red]{text}[/]");

    /// <summary>Writes a table.</summary>
    public void Table(Table table) => _console.Write(table);

    /// <summary>Does <paramref name="work"/>; on a terminal, <paramref name="news"/> is shown meanwhile, five times a second.</summary>
    public async Task WhileAsync(Func<string> news, Func<Task> work)
    {
        if (!_console.Profile.Capabilities.Interactive || !_console.Profile.Out.IsTerminal)
        {
            await work();
            return;
        }

        await _console.Status().StartAsync(Markup.Escape(news()), async status =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            var done = work();
            while (!done.IsCompleted)
            {
                var tick = timer.WaitForNextTickAsync().AsTask();
                if (await Task.WhenAny(done, tick) == tick)
                {
                    status.Status(Markup.Escape(news()));
                }
            }

            await done;
        });
    }
}
