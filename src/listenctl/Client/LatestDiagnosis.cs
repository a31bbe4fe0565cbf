using Supervisor.Control;

namespace Supervisor.Listenctl.Client;

/// <summary>
/// Asks the daemon for a diagnosis again and again on a thread of its own, because each takes a second and more. While the daemon does not
/// answer there is none.
/// </summary>
internal sealed class LatestDiagnosis : IDisposable
{
    /// <summary>The pause between two diagnoses: each reads all connections.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4);

    private readonly ControlClient _client;
    private readonly ManualResetEventSlim _end = new();

    /// <summary>Begins to ask.</summary>
    public LatestDiagnosis(ControlClient client)
    {
        _client = client;
        new Thread(Run) { IsBackground = true, Name = "diagnosis" }.Start();
    }

    /// <summary>The last diagnosis; null before the first, and while the daemon does not answer.</summary>
    public DiagnosisDocument? Document { get; private set; }

    /// <summary>One diagnosis.</summary>
    /// <param name="client">The daemon.</param>
    /// <param name="interval">The time between its two looks.</param>
    public static byte[] Ask(ControlClient client, TimeSpan interval) =>
        client.Get($"/v1/diagnose?interval_ms={(long)interval.TotalMilliseconds}", interval + ControlClient.AnswerTimeout);

    /// <summary>One diagnosis; null if the daemon refuses it, such as one of an older version.</summary>
    public static DiagnosisDocument? TryAsk(ControlClient client, TimeSpan interval)
    {
        try
        {
            return Json.Read(Ask(client, interval), ControlJson.Default.DiagnosisDocument, client);
        }
        catch (ControlException refused) when (refused.ExitCode is not ExitCode.Unreachable)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _end.Set();

    private void Run()
    {
        do
        {
            try
            {
                Document = Json.Read(Ask(_client, TimeSpan.FromSeconds(1)), ControlJson.Default.DiagnosisDocument, _client);
            }
            catch (Exception)
            {
                // An exception that ends this thread would end the process.
                Document = null;
            }
        }
        while (!_end.Wait(Pause));
    }
}
